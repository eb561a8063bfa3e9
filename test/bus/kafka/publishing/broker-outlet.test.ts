import { setImmediate } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BrokerOutlet } from '../../../../src/bus/kafka/publishing/broker-outlet.ts';
import {
  type Lane,
  type Load,
  type Sending,
  loadOf,
} from '../../../../src/bus/kafka/publishing/publish-lanes.ts';
import { messageId } from '../../../../src/core/message.ts';
import { Queue } from '../../../../src/core/queue.ts';

const sendingOf = (bytes: number): Sending => ({
  id: messageId('0'.repeat(32)),
  record: { key: null, value: null, headers: [] },
  bytes,
  sentAt: 0,
  done: () => undefined,
});

/** An outlet over a broker that answers when it is told to. */
class Bench {
  readonly time = new VirtualTimeScheduler();
  /** The lanes of each request, by partition. */
  readonly requests: number[][] = [];
  readonly outlet: BrokerOutlet;
  readonly #lanes = new Map<number, Lane>();
  readonly #answers: (() => void)[] = [];

  constructor(lingerMs = 0) {
    this.outlet = new BrokerOutlet({
      scheduler: this.time,
      lingerMs,
      loadOf: lane => loadOf(lane, 1000, 64 * 1024),
      store: loads => this.#store(loads),
      done: lanes => {
        for (const lane of lanes) lane.busy = false;
      },
    });
  }

  publish(partition: number, bytes = 100): void {
    const lane = this.#laneOf(partition);
    lane.waiting.push(sendingOf(bytes));
    lane.bytes += bytes;
    if (!lane.busy) this.outlet.offer(lane, bytes);
  }

  async answer(): Promise<void> {
    this.#answers.shift()?.();
    await setImmediate();
  }

  /** Lets the turn end, and so much time pass. */
  async pass(ms: number): Promise<void> {
    await setImmediate();
    this.time.maxFrames = this.time.now() + ms;
    this.time.schedule(() => undefined, ms);
    this.time.flush();
  }

  #laneOf(partition: number): Lane {
    const found = this.#lanes.get(partition);
    if (found) return found;
    const lane = {
      topic: 't',
      partition,
      waiting: new Queue<Sending>(),
      bytes: 0,
      outlet: undefined,
      busy: false,
    };
    this.#lanes.set(partition, lane);
    return lane;
  }

  #store(loads: readonly Load[]): Promise<void> {
    this.requests.push(loads.map(({ lane }) => lane.partition));
    return new Promise(resolve => this.#answers.push(resolve));
  }
}

describe('BrokerOutlet', () => {
  // Kills: a process that looks for ever for what there is no more.
  it('ends with what is under way when it is closed with more than enough for another request', async () => {
    const bench = new Bench();
    for (let partition = 0; partition < 8; partition++) bench.publish(partition, 130 * 1024);
    expect(bench.requests).toHaveLength(5);
    bench.outlet.close();
    for (let round = 0; round < 5; round++) await bench.answer();
    expect([bench.requests.length, bench.outlet.isIdle]).toEqual([5, true]);
  });

  it('sends together what is published in one turn', async () => {
    const bench = new Bench();
    for (const partition of [0, 1, 2]) bench.publish(partition);
    expect(bench.requests).toEqual([]);
    await bench.pass(0);
    expect(bench.requests).toEqual([[0, 1, 2]]);
  });

  it('holds a little back until what is under way is answered', async () => {
    const bench = new Bench();
    bench.publish(0);
    await bench.pass(0);
    bench.publish(1);
    bench.publish(2);
    await bench.pass(20);
    expect(bench.requests).toEqual([[0]]);
    await bench.answer();
    expect(bench.requests).toEqual([[0], [1, 2]]);
  });

  it('does not hold it back for longer than 25 ms: what is under way may be stuck', async () => {
    const bench = new Bench();
    bench.publish(0);
    await bench.pass(0);
    bench.publish(1);
    await bench.pass(24);
    expect(bench.requests).toHaveLength(1);
    await bench.pass(1);
    expect(bench.requests).toEqual([[0], [1]]);
  });

  it('sends at once what is worth a request, parts of it in requests of their own', async () => {
    const bench = new Bench();
    const large = 60_000;
    for (let partition = 0; partition < 6; partition++) bench.publish(partition, large);
    expect(bench.requests).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    bench.publish(6);
    await bench.pass(0);
    expect(bench.requests).toHaveLength(2);
  });

  it('has no more than five requests under way', async () => {
    const bench = new Bench();
    for (let partition = 0; partition < 30; partition++) bench.publish(partition, 60_000);
    await bench.pass(1000);
    expect(bench.requests).toHaveLength(5);
    await bench.answer();
    expect(bench.requests).toHaveLength(6);
  });

  it('does not forget what had no room when its time was up', async () => {
    const bench = new Bench();
    for (let partition = 0; partition < 15; partition++) bench.publish(partition, 60_000);
    bench.publish(15);
    await bench.pass(1000);
    await bench.answer();
    expect(bench.requests).toHaveLength(5);
    await bench.pass(25);
    expect(bench.requests.at(-1)).toEqual([15]);
  });

  it('waits for others while nothing is under way for as long as it is told to', async () => {
    const bench = new Bench(10);
    bench.publish(0);
    await bench.pass(9);
    bench.publish(1);
    expect(bench.requests).toEqual([]);
    await bench.pass(1);
    expect(bench.requests).toEqual([[0, 1]]);
  });

  it('is idle once all is answered', async () => {
    const bench = new Bench();
    expect(bench.outlet.isIdle).toBe(true);
    bench.publish(0);
    expect(bench.outlet.isIdle).toBe(false);
    await bench.pass(0);
    expect(bench.outlet.isIdle).toBe(false);
    await bench.answer();
    expect(bench.outlet.isIdle).toBe(true);
  });
});
