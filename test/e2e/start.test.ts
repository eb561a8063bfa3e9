import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { printed } from './printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'start-'));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function cryptorun(...args: readonly string[]): {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
} {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', chunk => (out += String(chunk)));
  child.stderr.on('data', chunk => (err += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, ended };
}

describe('cryptorun start', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is ended by SIGINT in good order, with a summary and exit code 0', async () => {
    const { child, ended } = cryptorun('start', '--memory', '--json');
    await printed(child, /"items":[1-9]/);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trim().split('\n').at(-1)).toContain('"phase":"done"');
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

  it('records every topic as JSON lines in offset order per partition', async () => {
    const [dir, record] = [join(folder, 'kept'), join(folder, 'recorded')];
    const { code } = await cryptorun('start', '--once', '--days', '0.1', '--dir', dir, '--record', record)
      .ended;
    expect(code).toBe(0);
    expect(readdirSync(record)).toContain('cryptorun-dlq.jsonl');
    const text = readFileSync(join(record, 'cryptorun-market-bars.jsonl'), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Recorded);
    expect(lines.find(({ value }) => value !== null)?.value).toMatchObject({
      venue: 'simulator',
      intervalMs: 60_000,
    });
    const next = new Map<number, number>();
    for (const { partition, offset } of lines) {
      expect(offset).toBe(next.get(partition) ?? 0);
      next.set(partition, offset + 1);
    }
  }, 60_000);

  it.each([
    { args: ['start', '--feed', 'ws:krakn'], says: 'krakn is not known' },
    { args: ['start', '--feed', 'file:/no/such/file.json'], says: '/no/such/file.json' },
    { args: ['start', '--onse'], says: 'Did you mean --once?' },
    { args: ['start', '--days', 'ten'], says: '--days is "ten"' },
    { args: ['strat'], says: 'Did you mean start?' },
    { args: ['worker', '--bundle', 'configs/bundles/none.yaml'], says: 'none.yaml' },
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
