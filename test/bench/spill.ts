import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OutgoingMessage, messageId, offset, partition } from '../../src/core/message.ts';
import { BusError, type Published, type Publisher } from '../../src/core/publisher.ts';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import type { SpillOptions } from '../../src/spill/spill-options.ts';
import type { SpillingPublisher } from '../../src/spill/spilling-publisher.ts';
import type { Benchmark, Effort, Measured, Work } from './benchmark.ts';
import { stopwatch } from './stopwatch.ts';

const batchSize = 500;
const payload = Buffer.alloc(200, 0x61);
const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`);
const gibibyte = 1024 ** 3;

process.env['SPILL_BENCH_KEY'] = '2a'.repeat(32);
const sealed = { encryptionKey: { env: 'SPILL_BENCH_KEY' } } as const;

const batchesFor = ({ smoke }: Effort, batches: number): number => (smoke ? 10 : batches);

/** A broker that is away, or stores nothing and says at once that it has. */
class Broker implements Publisher {
  isAway: boolean;
  readonly #away = new BusError('publish-timeout', 'away');
  readonly #receipt = {
    topic: 't',
    partition: partition(0),
    offset: offset(0),
    id: messageId('0'.repeat(32)),
  };

  constructor(isAway: boolean) {
    this.isAway = isAway;
  }

  send(_message: OutgoingMessage, done: Published): void {
    if (this.isAway) done(this.#away, undefined);
    else done(undefined, this.#receipt);
  }

  partitionsOf(): number {
    return 1;
  }
}

const numbered = (n: number): OutgoingMessage => ({ topic: 't', key: keys[n % 100] ?? '', payload });

/** Publishes batches, each in a turn of its own, and waits until all are accepted. */
async function publishAll(spilling: SpillingPublisher, batches: number): Promise<void> {
  let [missing, refused] = [batches * batchSize, 0];
  const told = (error: BusError | undefined): void => {
    missing--;
    if (error !== undefined) refused++;
  };
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < batchSize; i++) spilling.send(numbered(i), told);
    await Promise.resolve();
  }
  while (missing > 0) await new Promise(resolve => setImmediate(resolve));
  if (refused > 0) throw new Error(`${refused} messages were refused`);
}

async function inFolder(use: (dir: string) => Promise<Measured> | Measured): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-spill-'));
  try {
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const opened = (dir: string, broker: Broker, options: Partial<SpillOptions>): Promise<SpillingPublisher> =>
  createSpillingPublisher(broker, { dir, maxBytes: 8 * gibibyte, memoryMessages: 500, ...options });

function spill(options: Partial<SpillOptions>, batches: number): Work {
  return effort =>
    inFolder(async dir => {
      const count = batchesFor(effort, batches);
      const spilling = await opened(dir, new Broker(true), options);
      const lap = stopwatch();
      await publishAll(spilling, count);
      const measured = lap(count * batchSize);
      await spilling.close();
      return measured;
    });
}

const straight: Work = effort =>
  inFolder(async dir => {
    const count = batchesFor(effort, 4000);
    const spilling = await opened(dir, new Broker(false), {});
    const lap = stopwatch();
    await publishAll(spilling, count);
    const measured = lap(count * batchSize);
    await spilling.close();
    return measured;
  });

function drain(options: Partial<SpillOptions>): Work {
  return effort =>
    inFolder(async dir => {
      const count = batchesFor(effort, 1000);
      const away = await opened(dir, new Broker(true), { fsync: 'never', ...options });
      await publishAll(away, count);
      await away.close();
      const lap = stopwatch();
      const spilling = await opened(dir, new Broker(false), { fsync: 'never', ...options });
      while (spilling.status().isSpilling) await new Promise(resolve => setTimeout(resolve, 1));
      const measured = lap(count * batchSize);
      await spilling.close();
      return measured;
    });
}

/** Opening what 1 GiB of spilled messages left. */
function reopen(prepare: (dir: string) => void): Work {
  return ({ smoke }) =>
    inFolder(async dir => {
      const away = await opened(dir, new Broker(true), { fsync: 'never' });
      let messages = 0;
      for (; away.status().spilledBytes < (smoke ? 1024 ** 2 : gibibyte); messages += 100 * batchSize)
        await publishAll(away, 100);
      await away.close();
      prepare(dir);
      const lap = stopwatch();
      const again = await opened(dir, new Broker(true), { fsync: 'never' });
      const measured = lap(messages);
      await again.close();
      const seconds = `${measured.seconds.toFixed(2)} s to open ${smoke ? '1 MiB' : '1 GiB'}`;
      return { ...measured, note: seconds };
    });
}

function withoutIndexes(dir: string): void {
  const folder = join(dir, 'messages');
  for (const name of readdirSync(folder)) if (name.endsWith('.index')) rmSync(join(folder, name));
}

/** The bytes alone, appended to a segment log. */
function rawAppend(fsync: 'never' | 'batch', batches: number): Work {
  return effort =>
    inFolder(dir => {
      const log = openSegmentLog(dir, { fsync });
      const count = batchesFor(effort, batches);
      const lap = stopwatch();
      for (let at = 0; at < count * batchSize; at += batchSize)
        log.append(Array.from({ length: batchSize }, (_, i) => ({ offset: at + i, time: 0, body: payload })));
      const measured = lap(count * batchSize);
      log.close();
      return measured;
    });
}

/** The same in a database: a transaction a batch. */
function sqlite(synchronous: 'OFF' | 'FULL', batches: number): Work {
  return effort =>
    inFolder(dir => {
      const database = new DatabaseSync(join(dir, 'spill.db'));
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`);
      database.exec('CREATE TABLE spill (id INTEGER PRIMARY KEY, topic TEXT, key TEXT, payload BLOB)');
      const insert = database.prepare('INSERT INTO spill (topic, key, payload) VALUES (?, ?, ?)');
      const count = batchesFor(effort, batches);
      const lap = stopwatch();
      for (let batch = 0; batch < count; batch++) {
        database.exec('BEGIN');
        for (let i = 0; i < batchSize; i++) insert.run('t', keys[i % 100] ?? '', payload);
        database.exec('COMMIT');
      }
      const measured = lap(count * batchSize);
      database.close();
      return measured;
    });
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'spill, no fsync',
    goal: { perSecond: 500_000 },
    subject: spill({ fsync: 'never' }, 3000),
    twin: { name: 'segment log, append', work: rawAppend('never', 3000) },
  },
  {
    name: 'spill, fsync per batch',
    goal: { perSecond: 150_000 },
    subject: spill({ fsync: 'batch' }, 1000),
    twin: { name: 'segment log, append and fsync', work: rawAppend('batch', 1000) },
  },
  {
    name: 'spill, sealed, no fsync',
    goal: { perSecond: 100_000 },
    subject: spill({ fsync: 'never', ...sealed }, 1000),
    twin: { name: 'node:sqlite, not sealed, no fsync', work: sqlite('OFF', 1000) },
  },
  {
    name: 'spill, sealed, fsync per batch',
    goal: { perSecond: 100_000 },
    subject: spill({ fsync: 'batch', ...sealed }, 1000),
    twin: { name: 'node:sqlite, not sealed, fsync per batch', work: sqlite('FULL', 1000) },
  },
  { name: 'spill, drain', subject: drain({}) },
  { name: 'spill, drain sealed', subject: drain(sealed) },
  { name: 'spill, broker there', subject: straight },
  { name: 'spill, open 1 GiB', goal: { seconds: 5 }, subject: reopen(() => undefined) },
  { name: 'spill, open 1 GiB without indexes', goal: { seconds: 5 }, subject: reopen(withoutIndexes) },
];
