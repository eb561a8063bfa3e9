import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { NEVER, delay, of } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { each } from '../../../operators/each.ts';
import type { EventBus, PartitionLifecycle } from '../../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../../src/bus/kafka/kafka-options.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { Pipeline } from '../../../src/runtime/pipeline.ts';
import type { PipelineEvent } from '../../../src/runtime/pipeline-status.ts';
import { Runtime, type RuntimeOptions } from '../../../src/runtime/runtime.ts';
import { countingPipeline } from '../../chaos/counting-pipeline.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

const patiently = { timeout: 20_000, interval: 50 };
const partitions = 6;

const on = (driver: KafkaDriverName, drainMs: number): Promise<EventBus> =>
  startedBus({
    brokers: kafkaBrokers(),
    driver,
    consuming: { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 100, drainMs },
  });

/** A steady load: numbers from 0 on, of so many keys in turn, until it is told to end. */
class Load {
  #ended = false;
  #count = 0;
  readonly #done: Promise<void>;

  constructor(bus: EventBus, to: string, keys: number) {
    this.#done = (async () => {
      while (!this.#ended) {
        const batch = Array.from({ length: 3 }, () => {
          const number = this.#count++;
          return { topic: to, key: `k${number % keys}`, payload: Buffer.from(`${number}`) };
        });
        await bus.publishBatch(batch);
        await wait(20);
      }
    })();
  }

  async end(): Promise<number> {
    this.#ended = true;
    await this.#done;
    return this.#count;
  }
}

/** Counts the numbers of each key, and takes a while for each. */
function counting(name: string, from: string, to: string): Pipeline {
  const slowly = each<number, number>(number$ => number$.pipe(delay(100)), { concurrency: 20 });
  return countingPipeline(name, from, to, { before: slowly });
}

/** Runs a pipeline on one bus, and on another as well once it has published so much; the first, when the second has. */
async function joinedByAnother(
  running: Pipeline,
  buses: readonly EventBus[],
  published: number,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const runtimes = buses.map(bus => new Runtime([running], bus, options));
  onTestFinished(async () => {
    await Promise.all(runtimes.map(runtime => runtime.drain(5_000)));
  });
  for (const runtime of runtimes) {
    await runtime.start();
    await expect
      .poll(async () => (await runtime.status())[0]?.published, patiently)
      .toBeGreaterThan(published);
  }
  const [first] = runtimes;
  if (first === undefined) throw new Error('there is no bus');
  return first;
}

async function repeatedOn(bus: EventBus): Promise<number> {
  return (await bus.health()).metrics.repeatedDeliveries ?? NaN;
}

describeKafka('a rebalance', () => {
  describe.each(drivers)('of members on %s', driver => {
    /** Two members, the second while the first is at work; how often each message was handled. */
    async function scaledUp(
      drainMs: number,
      handlingMs: number,
    ): Promise<[handled: number, repeated: number]> {
      const [one, two] = await Promise.all([on(driver, drainMs), on(driver, drainMs)]);
      const from = await newTopic(one, { partitions });
      const group = `group-${randomUUID()}`;
      const handled: string[] = [];
      const byTwo: string[] = [];
      const handling = (list: string[]) => async (message: { payload: Uint8Array | null }) => {
        await wait(handlingMs);
        list.push(textOf(message.payload) ?? '');
      };
      const options = { group, concurrency: 100, commitIntervalMs: 60_000 };
      const load = new Load(one, from, 1_000_000);
      const first = await one.subscribe(from, handling(handled), options);
      await expect.poll(() => handled.length, patiently).toBeGreaterThan(50);
      const second = await two.subscribe(from, handling(byTwo), options);
      await expect.poll(() => byTwo.length, patiently).toBeGreaterThan(50);
      const published = await load.end();
      await expect.poll(() => new Set([...handled, ...byTwo]).size, patiently).toBe(published);
      await Promise.all([first.unsubscribe(), second.unsubscribe()]);
      return [handled.length + byTwo.length - published, await repeatedOn(one)];
    }

    it('finishes what is in hand of the partitions that go: nothing is handled twice', async () => {
      expect(await scaledUp(3_000, 100)).toEqual([0, 0]);
    });

    it('drops what is not finished in time, and counts what is handled again', async () => {
      const [handledTwice, repeated] = await scaledUp(0, 400);
      expect(handledTwice).toBeGreaterThan(0);
      expect(repeated).toBe(handledTwice);
    });

    it('is counted in the metrics of a pipeline whose work is done again, and told at each rebalance', async () => {
      const [one, two] = await Promise.all([on(driver, 0), on(driver, 0)]);
      const [from, to] = [await newTopic(one, { partitions }), await newTopic(one, { partitions })];
      const name = `again-${randomUUID().slice(0, 8)}`;
      const load = new Load(one, from, 24);
      const given: { partitions: readonly string[]; repeated: number }[] = [];
      const report = (event: PipelineEvent): void => {
        if (event.kind === 'given-up' && event.repeated > 0) given.push(event);
      };
      const first = await joinedByAnother(counting(name, from, to), [one, two], 50, { report });
      await load.end();
      const counted = first.meter.sum('stream_rebalance_duplicates_total', {});
      expect(counted).toBeGreaterThan(0);
      expect(given.reduce((sum, { repeated }) => sum + repeated, 0)).toBe(counted);
      for (const { partitions: gone } of given) expect(gone[0]).toMatch(`${from}[`);
    });

    it('goes on without what never ends of a partition that goes, once the deadline has passed', async () => {
      const [one, two] = await Promise.all([on(driver, 1_500), on(driver, 1_500)]);
      const from = await newTopic(one, { partitions });
      const group = `group-${randomUUID()}`;
      await one.publishBatch(
        Array.from({ length: partitions }, (_, partition) => ({
          topic: from,
          partition,
          key: `k${partition}`,
          payload: Buffer.from(`stuck ${partition}`),
        })),
      );
      const stuck: string[] = [];
      const signals: AbortSignal[] = [];
      await one.subscribe(
        from,
        ({ payload }, signal) => {
          stuck.push(textOf(payload) ?? '');
          signals.push(signal);
          return new Promise<void>((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('lost')));
          });
        },
        { group, concurrency: 20 },
      );
      await expect.poll(() => stuck.length, patiently).toBe(partitions);
      const again: string[] = [];
      const begun = performance.now();
      await two.subscribe(from, ({ payload }) => void again.push(textOf(payload) ?? ''), { group });
      await expect.poll(() => again.length, patiently).toBe(partitions / 2);
      expect(performance.now() - begun).toBeGreaterThan(1_400);
      expect(signals.filter(({ aborted }) => aborted)).toHaveLength(partitions / 2);
      expect(await repeatedOn(one)).toBe(partitions / 2);
    });

    // Kills: a heartbeat that waits for the handler, and a member that is thrown out in the middle of its work.
    it('does not come of a handler that takes longer than the session time-out: it handles once', async () => {
      const bus = await startedBus({
        brokers: kafkaBrokers(),
        driver,
        consuming: { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 },
      });
      const from = await newTopic(bus);
      const group = `group-${randomUUID()}`;
      const [handled, taken]: [string[], number[]] = [[], []];
      const reading = bus
        .source(from, {
          group,
          lifecycle: {
            assigned: places => {
              taken.push(places.length);
              return of([]);
            },
            revoked: () => undefined,
          },
        })
        .pipe(each(message$ => message$.pipe(delay(8_000)), { concurrency: 1 }))
        .subscribe(delivery => {
          handled.push(delivery.message.id);
          delivery[settlement].ack();
        });
      onTestFinished(() => reading.unsubscribe());
      const { id } = await bus.publish({ topic: from, key: 'k', payload: Buffer.from('slow') });
      await expect.poll(() => handled, patiently).toEqual([id]);
      const committed = async (): Promise<number | undefined> =>
        (await bus.getTopicInfo(from)).groups.find(each => each.group === group)?.committed;
      await expect.poll(committed, patiently).toBe(1);
      expect([handled, taken, await repeatedOn(bus)]).toEqual([[id], [1], 0]);
    });

    it('hands state over as it is behind the last message that was done', async () => {
      const [one, two] = await Promise.all([on(driver, 3_000), on(driver, 3_000)]);
      const [from, to] = [await newTopic(one, { partitions }), await newTopic(one, { partitions })];
      const name = `count-${randomUUID().slice(0, 8)}`;
      const keys = 24;
      const load = new Load(one, from, keys);
      // Nothing but the rebalance itself has state stored: the next snapshot by time is far away.
      const options = { snapshotIntervalMs: 600_000, snapshotEvery: 1_000_000 };
      const first = await joinedByAnother(counting(name, from, to), [one, two], 100, options);
      const published = await load.end();
      const outputs = async (): Promise<string[]> =>
        (await readAll(one, to)).flatMap(({ payload }) => textOf(payload) ?? []);
      await expect.poll(async () => (await outputs()).length, patiently).toBe(published);
      const expected = Array.from({ length: published }, (_, number) =>
        JSON.stringify({ number, count: Math.floor(number / keys) + 1 }),
      );
      expect((await outputs()).sort()).toEqual(expected.sort());
      expect(first.meter.sum('stream_rebalance_duplicates_total', {})).toBe(0);
    });
  });

  it('on platformatic leaves alone what stays while it waits for what goes', async () => {
    const [one, two] = await Promise.all([on('platformatic', 3_000), on('platformatic', 3_000)]);
    const from = await newTopic(one, { partitions });
    const group = `group-${randomUUID()}`;
    const leaving: number[] = [];
    const revoked: number[] = [];
    const handled: { partition: number; during: boolean }[] = [];
    const lifecycle: PartitionLifecycle = {
      assigned: () => of([]),
      leaving: places => {
        leaving.push(...places.map(({ partition }) => partition));
        return NEVER;
      },
      revoked: places => void revoked.push(...places.map(({ partition }) => partition)),
    };
    const load = new Load(one, from, 1_000_000);
    const reading = one.source(from, { group, lifecycle }).subscribe(delivery => {
      handled.push({
        partition: delivery.message.partition,
        during: leaving.length > 0 && revoked.length === 0,
      });
      delivery[settlement].ack();
    });
    onTestFinished(() => reading.unsubscribe());
    await expect.poll(() => handled.length, patiently).toBeGreaterThan(50);
    await two.subscribe(from, () => undefined, { group });
    await expect.poll(() => revoked.length, patiently).toBe(partitions / 2);
    await load.end();
    const during = new Set(handled.filter(each => each.during).map(({ partition }) => partition));
    const kept = [0, 1, 2, 3, 4, 5].filter(partition => !leaving.includes(partition));
    expect([...during].sort()).toEqual(kept);
    expect(revoked.sort()).toEqual(leaving.sort());
  });
});
