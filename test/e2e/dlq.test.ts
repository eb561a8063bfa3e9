import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isRight } from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { printed } from './printed.ts';
import { embeddedBus } from '../../src/bus/embedded/embedded.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { deadLetterTopic, quarantineTopic } from '../../src/core/dead-letter.ts';
import { historyOf } from '../../src/core/message-history.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { type AuditEvent, auditTopic } from '../../src/worker/report-topics.ts';
import { idOf, letterOf, publish, storedIn } from '../dlq/letters.ts';
import { topicSize } from './topic-size.ts';

const folder = mkdtempSync(join(tmpdir(), 'dlq-'));
let folders = 0;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

function cryptorun(...args: readonly string[]): Started {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.on('data', chunk => (out += String(chunk)));
  child.stderr.on('data', chunk => (err += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, ended };
}

/** Works on a folder's bus, and lets go of the folder. */
async function onBus<A>(dir: string, work: (bus: EventBus) => A | Promise<A>): Promise<A> {
  const bus = embeddedBus({ dir });
  await bus.start();
  try {
    return await work(bus);
  } finally {
    await bus.stop();
  }
}

/** A folder with these letters, and the topic that they come from. */
async function folderWith(...letters: readonly OutgoingMessage[]): Promise<string> {
  const dir = join(folder, String(folders++));
  await onBus(dir, async bus => {
    for (const name of ['prices', deadLetterTopic, quarantineTopic]) {
      await bus.createTopic({
        name,
        settings: { ...defaultTopicSettings, partitions: 3, maxMessageBytes: 4 * 1024 ** 2 },
      });
    }
    await publish(bus, letters);
  });
  return dir;
}

const redrives = (dir: string): Promise<readonly (string | undefined)[]> =>
  onBus(dir, bus => storedIn(bus, 'prices').map(message => historyOf(message).redrive));

function audited(dir: string): Promise<readonly AuditEvent[]> {
  return onBus(dir, bus =>
    storedIn(bus, auditTopic.name).flatMap(({ payload }) => {
      const decoded = auditTopic.codec.decode(payload!);
      return isRight(decoded) ? [decoded.right] : [];
    }),
  );
}

const lines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown);

describe('cryptorun dlq', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('lists, groups and shows', async () => {
    const dir = await folderWith(
      letterOf({ n: 1 }),
      letterOf({ n: 2 }),
      letterOf({ n: 3, reason: 'no such symbol "X"', payload: Buffer.alloc(1_048_576, 200) }),
    );
    const list = await cryptorun('dlq', 'list', '--dir', dir).ended;
    expect(list).toMatchObject({ code: 0, err: '' });
    expect(list.out).toContain('price 2 is not above 0');
    expect(
      lines((await cryptorun('dlq', 'list', '--dir', dir, '--json', '--limit', '2').ended).out),
    ).toHaveLength(2);

    const groups = lines((await cryptorun('dlq', 'groups', '--dir', dir, '--json').ended).out);
    expect(groups).toMatchObject([
      { count: 2, reason: 'price <n> is not above <n>' },
      { count: 1, reason: 'no such symbol <text>' },
    ]);

    const show = await cryptorun('dlq', 'show', idOf(3).slice(0, 8), '--dir', dir).ended;
    expect(show.code).toBe(0);
    expect(show.out).toContain('from        prices[0]@3');
    expect(show.out).toContain('1,048,576 bytes in all');
    expect(show.out.length).toBeLessThan(10_000);
    const [whole] = lines((await cryptorun('dlq', 'show', idOf(3), '--dir', dir, '--json').ended).out);
    expect(Buffer.from((whole as { payload: string }).payload, 'base64')).toHaveLength(1_048_576);
    expect(whole).toMatchObject({
      schemaVersion: null,
      decoded: { codec: null, value: null, refusal: 'no codec is known for topic prices' },
    });
    const several = await cryptorun('dlq', 'show', '0000', '--dir', dir).ended;
    expect(several).toMatchObject({ code: 2, err: expect.stringContaining('Several letters') as string });
  }, 60_000);

  it('sends back once, tells what a dry run would send, and says when there is nothing new', async () => {
    const gone = { topic: 'gone', partition: 0, offset: 0 };
    const dir = await folderWith(
      letterOf({ n: 1 }),
      letterOf({ n: 2, pipeline: 'gates' }),
      letterOf({ n: 3, origin: gone }),
    );
    const dry = await cryptorun('dlq', 'redrive', '--dir', dir, '--pipeline', 'bars', '--dry-run').ended;
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was sent.') as string });
    expect(await redrives(dir)).toEqual([]);

    const first = await cryptorun('dlq', 'redrive', '--dir', dir, '--pipeline', 'bars').ended;
    expect(first.code).toBe(1);
    expect(first.out).toContain('Sent 1 of 2 letters');
    expect(first.out).toContain('no topic gone');
    const second = await cryptorun('dlq', 'redrive', '--dir', dir, '--pipeline', 'bars').ended;
    expect(second).toMatchObject({ code: 0, out: expect.stringContaining('Nothing new to send') as string });
    const one = await cryptorun('dlq', 'redrive', '--dir', dir, '--id', idOf(2).slice(0, 8), '--json').ended;
    expect(lines(one.out)).toMatchObject([{ outcome: 'done', sent: 1, total: 3 }]);
    expect(await redrives(dir)).toEqual(expect.arrayContaining([idOf(1), idOf(2)]));
    expect(await redrives(dir)).toHaveLength(2);
    const steps = (await audited(dir)).map(({ action, details }) => `${action} ${details['step'] ?? ''}`);
    expect(steps.toSorted()).toEqual([
      ...Array.from({ length: 3 }, () => 'dead-letters-replayed ended'),
      ...Array.from({ length: 3 }, () => 'dead-letters-replayed started'),
    ]);
  }, 60_000);

  it('edits with a module, and records each edit', async () => {
    const dir = await folderWith(letterOf({ n: 1 }), letterOf({ n: 2 }));
    const file = join(folder, 'fix.ts');
    writeFileSync(
      file,
      `export default (letter: { id: string; payload: Uint8Array }): Uint8Array | undefined =>
         letter.id.startsWith('00000001') ? Buffer.from(Buffer.from(letter.payload).toString().toUpperCase()) : undefined;`,
    );
    const { code, out } = await cryptorun('dlq', 'redrive', '--dir', dir, '--transform', file).ended;
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining('Sent 1 of 2 letters, 1 of them edited.') as string,
    });
    const payloads = await onBus(dir, bus =>
      storedIn(bus, 'prices').map(({ payload }) => Buffer.from(payload!).toString()),
    );
    expect(payloads).toEqual(['PAYLOAD 1']);
    expect((await audited(dir)).map(({ details }) => details['step']).toSorted()).toEqual([
      'edited',
      'ended',
      'started',
    ]);
  }, 60_000);

  it('is ended by SIGINT in good order, and goes on from there', async () => {
    const dir = await folderWith(...Array.from({ length: 300 }, (_, n) => letterOf({ n, key: `k${n}` })));
    const args = ['dlq', 'redrive', '--dir', dir, '--json', '--rate'];
    const { child, ended } = cryptorun(...args, '40');
    const before = topicSize(dir, 'prices');
    while (topicSize(dir, 'prices') === before && child.exitCode === null) await wait(5);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect(code).toBe(0);
    const [{ sent, outcome }] = lines(out) as [{ sent: number; outcome: string }];
    expect(outcome).toBe('stopped');
    expect(err).toContain(`goes on from there with: cryptorun dlq redrive --dir ${dir} --rate 40`);
    expect(sent).toBeGreaterThan(0);
    const rest = await cryptorun(...args, '100000').ended;
    expect(lines(rest.out)).toMatchObject([{ outcome: 'done', before: sent, sent: 300 - sent }]);
    expect(new Set(await redrives(dir)).size).toBe(300);
  }, 60_000);

  it('releases from quarantine what is named, and never all by oversight', async () => {
    const quarantined = (n: number): OutgoingMessage => letterOf({ n, count: 5, topic: quarantineTopic });
    const dir = await folderWith(quarantined(1), quarantined(2), quarantined(3));
    const none = await cryptorun('quarantine', 'release', '--dir', dir).ended;
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('--all') as string });
    expect((await cryptorun('dlq', 'redrive', '--dir', dir, '--topic', quarantineTopic).ended).code).toBe(2);
    expect((await cryptorun('quarantine', 'release', idOf(2), '--dir', dir).ended).code).toBe(0);
    expect(await redrives(dir)).toEqual([idOf(2)]);
    expect((await cryptorun('quarantine', 'release', '--all', '--dir', dir).ended).code).toBe(0);
    expect(await redrives(dir)).toHaveLength(4);
    expect((await audited(dir)).every(({ action }) => action === 'quarantine-released')).toBe(true);
    const counts = await onBus(dir, bus => storedIn(bus, 'prices').map(m => historyOf(m).deadLetters));
    expect(new Set(counts)).toEqual(new Set([5]));
    expect((await cryptorun('quarantine', 'list', '--dir', dir).ended).out).toContain('price 3');
  }, 60_000);

  it('reaches the process that runs on the folder', async () => {
    const dir = join(folder, 'running');
    const worker = cryptorun('start', '--dir', dir, '--json', '--days', '1.5', '--symbols', '4');
    await printed(worker.child, /"deadLetters":\[\{/);
    const list = await cryptorun('dlq', 'list', '--dir', dir, '--json', '--pipeline', 'bars').ended;
    expect(list.code).toBe(0);
    const file = join(folder, 'tombstones.mjs');
    writeFileSync(file, 'export default () => null');
    const edit = await cryptorun(
      'dlq',
      'redrive',
      '--dir',
      dir,
      '--transform',
      file,
      '--json',
      '--limit',
      '1',
    ).ended;
    expect(edit).toMatchObject({ code: 0 });
    expect(lines(edit.out)).toMatchObject([{ sent: 1, edited: 1, failed: 0 }]);
    const missing = await cryptorun('dlq', 'list', '--dir', dir, '--topic', 'nowhere').ended;
    expect(missing).toMatchObject({
      code: 2,
      err: expect.stringContaining('no topic nowhere here') as string,
    });
    const redriven = await cryptorun('dlq', 'redrive', '--dir', dir, '--json').ended;
    expect(redriven).toMatchObject({ code: 0, err: '' });
    expect(lines(redriven.out)).toMatchObject([{ outcome: 'done', failed: 0 }]);
    worker.child.kill('SIGINT');
    expect((await worker.ended).code).toBe(0);
  }, 90_000);
});
