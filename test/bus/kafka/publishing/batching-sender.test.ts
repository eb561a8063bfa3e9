import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BusCondition } from '../../../../src/bus/bus-condition.ts';
import type { PartitionBatch, StoreOutcome, WireRecord } from '../../../../src/bus/kafka/driver.ts';
import type { PublishingOptions } from '../../../../src/bus/kafka/kafka-options.ts';
import { settled } from '../../../../src/bus/kafka/kafka-settings.ts';
import { sizeOf } from '../../../../src/bus/kafka/wire-record.ts';
import { BatchingSender } from '../../../../src/bus/kafka/publishing/batching-sender.ts';
import { BusError } from '../../../../src/core/publisher.ts';

const away = new BusError('unavailable', 'away');
const forbidden = new BusError('unauthorized', 'no');
const wide = { maxMessageBytes: 1000, maxBatchBytes: 1_000_000 };

/** By which a sender counts what a batch may hold. */
const bytesOf = (records: readonly WireRecord[]): number =>
  records.reduce((sum, record) => sum + sizeOf(record), 0);

/** A sender over partitions in memory, whose producer answers each batch as it is told to. */
class Bench {
  readonly time = new VirtualTimeScheduler();
  readonly logs = new Map<number, string[]>();
  readonly batches: PartitionBatch[] = [];
  readonly told: (readonly [value: string, code: string])[] = [];
  /** Stored without an answer: as brokers do, which number what they are sent, it stores them once when they come again. */
  readonly #unanswered = new WeakSet<WireRecord>();
  answer: (batch: PartitionBatch) => StoreOutcome | 'never' = () => 0;
  /** Producers that were opened, and which sent each request. */
  opened = 0;
  readonly senders: number[] = [];
  /** The epoch of the name that each was to go on from. */
  readonly after: (number | undefined)[] = [];
  readonly sender: BatchingSender;

  constructor(publishing: PublishingOptions = {}, limits = wide) {
    const topic = { name: 't', partitions: 3, leaders: [1, 1, 2], limits };
    this.sender = new BatchingSender(
      {
        directory: { find: () => topic, open: () => Promise.resolve(topic) },
        condition: new BusCondition(),
        scheduler: this.time,
        openProducer: after => {
          const number = ++this.opened;
          this.after.push(after?.producerEpoch);
          return Promise.resolve({
            name: { producerId: 5n, producerEpoch: number },
            send: (batches: readonly PartitionBatch[]) => {
              this.senders.push(number);
              return this.#store(batches);
            },
            close: () => Promise.resolve(),
          });
        },
      },
      settled({ brokers: ['b:1'], publishing }).publishing,
    );
  }

  send(partition: number, value: string): void {
    this.sender.send({ topic: 't', key: null, partition, payload: Buffer.from(value) }, error =>
      this.told.push([value, error?.code ?? 'stored']),
    );
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.time.now() + ms; this.time.now() < end;) {
      this.time.maxFrames = this.time.now() + 10;
      this.time.schedule(() => undefined, 10);
      this.time.flush();
      await setImmediate();
    }
  }

  async #store(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    await Promise.resolve();
    const outcomes: StoreOutcome[] = [];
    const stored: WireRecord[] = [];
    for (const batch of batches) {
      this.batches.push(batch);
      const outcome = this.answer(batch);
      if (outcome === 'never') {
        for (const record of stored) this.#unanswered.add(record);
        return new Promise(() => undefined);
      }
      if (typeof outcome === 'number') {
        const log = this.logs.get(batch.partition) ?? [];
        this.logs.set(batch.partition, log);
        const fresh = batch.records.filter(record => !this.#unanswered.has(record));
        log.push(...fresh.map(({ value }) => Buffer.from(value ?? []).toString()));
        stored.push(...batch.records);
      }
      outcomes.push(outcome);
    }
    return outcomes;
  }
}

describe('BatchingSender', () => {
  it('sends together what has gathered, within the limits of a batch', async () => {
    const bench = new Bench({ lingerMs: 20, batchMessages: 3 });
    for (let i = 0; i < 4; i++) bench.send(0, `${i}`);
    await bench.pass(10);
    expect(bench.batches).toHaveLength(0);
    await bench.pass(100);
    expect(bench.batches.map(({ records }) => records.length)).toEqual([3, 1]);
    expect(bench.logs.get(0)).toEqual(['0', '1', '2', '3']);
  });

  // Kills: a limit that is counted in messages alone, or without keys and headers; a batch that ends before it is full.
  it('sends in several batches what is together more than a batch may hold, each as full as it can be', async () => {
    const batchBytes = 1000;
    const bench = new Bench({ batchBytes });
    const values = [300, 10, 400, 1, 250, 250, 600, 30, 5, 5, 120].map((length, i) => `${i}`.padEnd(length));
    for (const value of values) bench.send(0, value);
    await bench.pass(200);
    expect(bench.logs.get(0)).toEqual(values);
    expect(bench.batches.length).toBeGreaterThan(2);
    for (const [i, { records }] of bench.batches.entries()) {
      expect(bytesOf(records)).toBeLessThanOrEqual(batchBytes);
      const next = bench.batches[i + 1]?.records.slice(0, 1);
      if (next) expect(bytesOf([...records, ...next])).toBeGreaterThan(batchBytes);
    }
  });

  // Kills: a limit that is off by one.
  it.for([
    { spare: 0, sizes: [3, 3, 1] },
    { spare: -1, sizes: [2, 2, 2, 1] },
  ])('fills a batch to the last byte: three and $spare make $sizes', async ({ spare, sizes }) => {
    const probe = new Bench();
    probe.send(0, 'x'.repeat(100));
    await probe.pass(50);
    const one = bytesOf(probe.batches[0]?.records ?? []);
    const bench = new Bench({ batchBytes: 3 * one + spare });
    for (let i = 0; i < 7; i++) bench.send(0, `${i}`.repeat(100));
    await bench.pass(200);
    expect(bench.batches.map(({ records }) => records.length)).toEqual(sizes);
  });

  it('goes by the limit of the topic where that is the smaller one', async () => {
    const bench = new Bench({ batchBytes: 100_000 }, { maxMessageBytes: 1000, maxBatchBytes: 1000 });
    for (let i = 0; i < 6; i++) bench.send(0, `${i}`.padEnd(300));
    await bench.pass(200);
    expect(bench.batches.map(({ records }) => records.length)).toEqual([2, 2, 2]);
  });

  // Kills: a message that waits for room that no batch ever has.
  it('sends alone what is larger than a batch may be', async () => {
    const bench = new Bench({ batchBytes: 300 });
    const values = ['a', 'large'.padEnd(500), 'b', 'c'];
    for (const value of values) bench.send(0, value);
    await bench.pass(200);
    expect(bench.logs.get(0)).toEqual(values);
    expect(bench.batches.map(({ records }) => records.length)).toEqual([1, 1, 2]);
  });

  it('sends again what failed for now, and only that', async () => {
    const bench = new Bench();
    let failures = 2;
    bench.answer = ({ partition }) => (partition === 1 && failures-- > 0 ? away : 0);
    for (const partition of [0, 1, 2]) bench.send(partition, `p${partition}`);
    await bench.pass(1000);
    expect([...bench.logs.values()].flat().sort()).toEqual(['p0', 'p1', 'p2']);
    expect(bench.batches.filter(({ partition }) => partition !== 1)).toHaveLength(2);
  });

  it('refuses what was not stored in time with all that waits behind it in its partition, and nothing else', async () => {
    const bench = new Bench({ deliveryTimeoutMs: 500 });
    bench.answer = ({ partition }) => (partition === 0 ? away : 0);
    bench.send(0, 'a');
    await bench.pass(100);
    bench.send(0, 'b');
    bench.send(1, 'c');
    await bench.pass(1500);
    expect(bench.told).toEqual([
      ['c', 'stored'],
      ['a', 'publish-timeout'],
      ['b', 'publish-timeout'],
    ]);
  });

  it('has another producer go on under the name of one of which something may come late', async () => {
    const bench = new Bench({ deliveryTimeoutMs: 500 });
    for (const [value, answer] of [
      ['a', 'never'],
      ['b', 0],
      ['c', 'never'],
      ['d', 0],
    ] as const) {
      bench.answer = () => answer;
      bench.send(0, value);
      await bench.pass(1_000);
    }
    expect(bench.told.map(([, code]) => code)).toEqual([
      ...['publish-timeout', 'stored'],
      ...['publish-timeout', 'stored'],
    ]);
    expect([bench.senders, bench.after]).toEqual([
      [1, 2, 2, 3],
      [undefined, 1, 2],
    ]);
  });

  it('does not wait longer than that for a client that never answers', async () => {
    const bench = new Bench({ deliveryTimeoutMs: 500 });
    bench.answer = () => 'never';
    bench.send(0, 'a');
    await bench.pass(600);
    expect(bench.told).toEqual([['a', 'publish-timeout']]);
  });

  it('refuses alone what is refused for good', async () => {
    const bench = new Bench({ batchMessages: 1 });
    bench.answer = ({ records }) =>
      Buffer.from(records[0]?.value ?? []).toString() === 'bad' ? forbidden : 0;
    for (const value of ['a', 'bad', 'b']) bench.send(0, value);
    await bench.pass(200);
    expect(bench.told).toEqual([
      ['a', 'stored'],
      ['bad', 'unauthorized'],
      ['b', 'stored'],
    ]);
  });

  it('takes apart a batch that is too large', async () => {
    const bench = new Bench();
    bench.answer = ({ records }) =>
      records.length > 1 || records[0]?.value?.length === 9 ? new BusError('message-too-large', 'large') : 0;
    for (const value of ['a', 'too large', 'b']) bench.send(0, value);
    await bench.pass(300);
    expect(bench.told).toEqual([
      ['a', 'stored'],
      ['too large', 'message-too-large'],
      ['b', 'stored'],
    ]);
  });

  // Kills: what comes next gets the numbers of what may be stored, and is taken for that, and told to be stored.
  it('counts anew behind what is refused for good when it may have been stored before', async () => {
    const bench = new Bench();
    bench.answer = () => away;
    bench.send(0, 'a');
    await bench.pass(20);
    bench.answer = () => forbidden;
    await bench.pass(200);
    bench.answer = () => 0;
    bench.send(0, 'b');
    await bench.pass(50);
    expect(bench.told).toEqual([
      ['a', 'unauthorized'],
      ['b', 'stored'],
    ]);
    expect(bench.senders).toEqual([1, 1, 2]);
  });

  it('refuses with one of a batch that was too large, whose time is up, all that were behind it', async () => {
    const bench = new Bench({ deliveryTimeoutMs: 500 });
    bench.answer = ({ records }) => {
      if (records.length > 1) return new BusError('message-too-large', 'large');
      return Buffer.from(records[0]?.value ?? []).toString() === 'b' ? away : 0;
    };
    for (const value of ['a', 'b', 'c']) bench.send(0, value);
    await bench.pass(20);
    bench.send(0, 'd');
    await bench.pass(2_000);
    expect(bench.told).toEqual([
      ['a', 'stored'],
      ['b', 'publish-timeout'],
      ['c', 'publish-timeout'],
      ['d', 'publish-timeout'],
    ]);
    expect(bench.logs.get(0)).toEqual(['a']);
  });

  it('refuses what has no room, and has room again once something is stored', async () => {
    const bench = new Bench({ bufferBytes: 400 });
    for (let i = 0; i < 4; i++) bench.send(0, `${i}`.padEnd(100));
    expect(bench.told.map(([, code]) => code)).toContain('buffer-full');
    await bench.pass(100);
    const before = bench.told.length;
    bench.send(0, 'again');
    await bench.pass(100);
    expect(bench.told.slice(before)).toEqual([['again', 'stored']]);
  });

  it('when it is stopped sends what waits, and refuses what cannot be sent in time', async () => {
    const bench = new Bench({ lingerMs: 1000 });
    bench.answer = ({ partition }) => (partition === 0 ? 0 : 'never');
    bench.send(0, 'a');
    const stopped = bench.sender.stop(300);
    await bench.pass(400);
    await stopped;
    expect(bench.told).toEqual([['a', 'stored']]);
  });

  it('never stores the messages of a partition in another order, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('ok', 'away', 'forbidden', 'never'), { minLength: 20, maxLength: 60 }),
        fc.array(fc.tuple(fc.nat(2), fc.nat(3)), { minLength: 1, maxLength: 30 }),
        async (answers, sends) => {
          const bench = new Bench({ deliveryTimeoutMs: 300, batchMessages: 2 });
          const left = [...answers];
          bench.answer = () => {
            const next = left.shift() ?? 'ok';
            return next === 'ok' ? 0 : next === 'away' ? away : next === 'never' ? 'never' : forbidden;
          };
          for (const [i, [partition, waits]] of sends.entries()) {
            bench.send(partition, `${i}`);
            if (waits === 0) await bench.pass(20);
          }
          await bench.pass(6000);
          expect(bench.told).toHaveLength(sends.length);
          for (const log of bench.logs.values()) {
            expect(log).toEqual([...new Set(log)].sort((a, b) => Number(a) - Number(b)));
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
