import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createEventBus } from '../../src/index.ts';
import { cryptorun, cryptorunIn } from './cryptorun.ts';
import { printed } from './printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'start-'));

describe('cryptorun start', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is ended by SIGINT in good order, with a summary and exit code 0', async () => {
    const { child, ended } = cryptorun('start', '--memory', '--json');
    await printed(child, /"items":[1-9]/);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trim().split('\n').at(-1)).toContain('"phase":"stopped"');
  }, 60_000);

  it('refuses a folder that another process has, naming it', async () => {
    const dir = join(folder, 'shared');
    const first = cryptorun('start', '--dir', dir, '--json');
    await printed(first.child, /"items":[1-9]/);
    const second = await cryptorun('start', '--dir', dir, '--once').ended;
    const explained = await cryptorun('explain', '0000', '--dir', dir).ended;
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(0);
    expect(second.code).toBe(2);
    expect(second.err).toContain(`Stop process ${first.child.pid}`);
    expect(explained).toMatchObject({ code: 2, err: 'There is no signal whose id begins with "0000".\n' });
    expect(existsSync(join(dir, 'control.json'))).toBe(false);
  }, 60_000);

  it('leaves nothing behind with --memory, and without it a folder', async () => {
    const [clean, used] = [join(folder, 'clean'), join(folder, 'used')];
    for (const dir of [clean, used]) mkdirSync(dir);
    const runs = [
      cryptorunIn(clean, 'start', '--once', '--days', '0.02', '--memory'),
      cryptorunIn(used, 'start', '--once', '--days', '0.02'),
    ];
    for (const { ended } of runs) expect(await ended).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(clean)).toEqual([]);
    expect(readdirSync(used)).toEqual(['.cryptorun']);
  }, 60_000);

  it('goes on live where the history ends, and sums up in words what it has done', async () => {
    const { child, ended } = cryptorun('start', '--memory', '--plain', '--days', '0.02');
    await printed(child, /: live, simulator/);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/: reading history, simulator\n[^]*: live, simulator\n[^]*: done, simulator\n/);
    const summary = out.slice(out.lastIndexOf('simulator on the stub bus ran for'));
    expect(summary).toMatch(/^simulator on the stub bus ran for .*\n[\d,.]+ items of simulator, /);
    expect(summary).toMatch(/^pipeline +taken +published +left out +dead letters +restarts +not finished$/m);
    for (const name of ['bars', 'liquidity', 'regime', 'momentum', 'gates', 'signals', 'notifications'])
      expect(summary).toMatch(new RegExp(`^${name} +[\\d,]+ +[\\d,]+ `, 'm'));
    expect(summary).toContain('Signals: 0 entries, 0 exits');
    expect(summary).toContain('Data was kept in memory only and is gone.');
  }, 60_000);

  it('records all of every topic as JSON lines in offset order per partition', async () => {
    const [dir, record] = [join(folder, 'kept'), join(folder, 'recorded')];
    const args = ['--once', '--days', '0.1', '--dir', dir, '--record', record];
    expect(await cryptorun('start', ...args).ended).toMatchObject({ code: 0, err: '' });
    const bus = createEventBus({ kind: 'embedded', dir, readOnly: true });
    await bus.start();
    const topics = await bus.listTopics();
    expect(topics.filter(topic => topic.endsWith('-changelog')).length).toBeGreaterThan(3);
    // The reports at the very end come after the recording has.
    for (const topic of topics.filter(name => !/-(audit-log|metrics|health-checks)$/.test(name))) {
      const ends = await bus.endOffsets(topic);
      const next = ends.map(() => 0);
      for (const { partition, offset } of linesOf(record, topic)) {
        expect({ topic, offset }).toEqual({ topic, offset: next[partition] });
        next[partition] = offset + 1;
      }
      expect({ topic, next }).toEqual({ topic, next: ends });
    }
    await bus.stop();
    const bars = linesOf(record, 'cryptorun-market-bars');
    expect(bars.find(({ value }) => value !== null)?.value).toMatchObject({
      venue: 'simulator',
      intervalMs: 60_000,
    });
  }, 60_000);

  it.each([
    { args: ['start', '--feed', 'ws:krakn'], says: 'krakn is not known' },
    { args: ['start', '--feed', 'file:/no/such/file.json'], says: '/no/such/file.json' },
    { args: ['start', '--onse'], says: 'Did you mean --once?' },
    { args: ['start', '--days', 'ten'], says: '--days is "ten"' },
    { args: ['strat'], says: 'Did you mean start?' },
    { args: ['worker', '--bundle', 'configs/bundles/none.yaml'], says: 'none.yaml' },
    { args: ['explain', 'nope'], says: '"nope" is no signal\'s id' },
    { args: ['explain', 'deadbeef', '--dir', '/no/such/folder'], says: 'There is no data' },
  ])('ends $args with exit code 2 and what to do', async ({ args, says }) => {
    const { code, err } = await cryptorun(...args).ended;
    expect(code).toBe(2);
    expect(err).toContain(says);
  });
});

interface Recorded {
  readonly partition: number;
  readonly offset: number;
  readonly value: unknown;
}

function linesOf(folder: string, topic: string): readonly Recorded[] {
  const lines = readFileSync(join(folder, `${topic}.jsonl`), 'utf8').split('\n');
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as Recorded);
}
