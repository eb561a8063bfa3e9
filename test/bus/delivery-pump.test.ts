import * as fc from 'fast-check';
import { Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { DeliveryPump, type PumpedPartition } from '../../src/bus/delivery-pump.ts';
import type { Due } from '../../src/bus/source-duty.ts';
import type { SourceOptions } from '../../src/bus/event-bus.ts';
import { PartitionTracker, type TrackerHost } from '../../src/bus/partition-tracker.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { type Bytes, type Message, messageId, offset, partition } from '../../src/core/message.ts';

class Partition implements PumpedPartition {
  readonly tracker: PartitionTracker;
  readonly waiting: Message[] = [];
  #next = 0;

  constructor(host: TrackerHost, index: number) {
    this.tracker = new PartitionTracker(host, 't', index, 0);
  }

  store(bytes: number): void {
    this.waiting.push({
      id: messageId('0'.repeat(32)),
      topic: 't',
      partition: partition(this.tracker.partition),
      offset: offset(this.#next++),
      key: null,
      payload: Buffer.alloc(bytes),
      headers: MessageHeaders.empty,
      timestamp: 0,
      logTime: 0,
    });
  }

  next(maxSpread: number): Due | undefined {
    const again = this.tracker.nextRedelivery();
    if (again) return again;
    if (this.tracker.spread >= maxSpread) return undefined;
    const message = this.waiting.shift();
    return message && this.tracker.take(message);
  }
}

class Bench {
  readonly delivered$ = new Subject<Delivery<Bytes>>();
  readonly out: Delivery<Bytes>[] = [];
  readonly partitions: readonly Partition[];
  readonly pump: DeliveryPump<Partition>;
  rests = 0;
  most = { deliveries: 0, bytesBeforeLast: 0 };

  constructor(options: SourceOptions) {
    const scheduler = new VirtualTimeScheduler();
    const host: TrackerHost = {
      scheduler,
      released: message => this.pump.released(message),
      redeliverable: () => this.pump.pump(),
      advanced: () => this.pump.advanced(),
    };
    this.pump = new DeliveryPump(
      this.delivered$,
      options,
      () => undefined,
      () => this.rests++,
    );
    this.partitions = [0, 1, 2].map(index => new Partition(host, index));
    for (const each of this.partitions) this.pump.add(each);
    this.delivered$.subscribe(delivery => {
      const before = this.out.reduce((sum, { message }) => sum + (message.payload?.length ?? 0), 0);
      this.out.push(delivery);
      this.most = {
        deliveries: Math.max(this.most.deliveries, this.out.length),
        bytesBeforeLast: Math.max(this.most.bytesBeforeLast, before),
      };
    });
  }

  ack(at: number): void {
    const [delivery] = this.out.splice(at % Math.max(1, this.out.length), 1);
    delivery?.[settlement].ack();
  }
}

describe('DeliveryPump', () => {
  it('never has more out than it may, but for the message that passes the bound on bytes, and delivers all', () => {
    const sizes = fc.array(fc.tuple(fc.nat(2), fc.nat(40)), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(50), { minLength: 1, maxLength: 50 }), (messages, picks) => {
        const bench = new Bench({ maxInFlight: 7, maxInFlightBytes: 100, maxUncommitted: 20 });
        for (const [at, bytes] of messages) bench.partitions[at]?.store(bytes);
        bench.pump.pump();
        let acked = 0;
        for (; bench.out.length > 0; acked++) bench.ack(picks[acked % picks.length] ?? 0);
        expect(acked).toBe(messages.length);
        expect(bench.most.deliveries).toBeLessThanOrEqual(7);
        expect(bench.most.bytesBeforeLast).toBeLessThan(100);
      }),
    );
  });

  it('rests only once the delivery that was acked on its way has been made', () => {
    const bench = new Bench({});
    const seen: boolean[] = [];
    bench.delivered$.subscribe(delivery => {
      delivery[settlement].ack();
      seen.push(bench.pump.isDelivering);
      expect(bench.rests).toBe(0);
    });
    bench.partitions[0]?.store(1);
    bench.pump.pump();
    expect(seen).toEqual([true]);
    expect(bench.rests).toBe(1);
  });

  it('takes back what is out of a partition that goes, and has its credit again', () => {
    const bench = new Bench({ maxInFlight: 2 });
    for (let i = 0; i < 2; i++) bench.partitions[0]?.store(1);
    bench.partitions[1]?.store(1);
    bench.pump.pump();
    expect(bench.out.map(({ message }) => Number(message.partition))).toEqual([0, 0]);
    const [gone] = bench.partitions;
    if (gone) bench.pump.remove(gone);
    bench.pump.pump();
    expect(bench.out.map(({ message }) => Number(message.partition))).toEqual([0, 0, 1]);
    expect(bench.out[0]?.[settlement].revoked).toBe(true);
  });

  it('takes nothing new while it is paused', () => {
    const bench = new Bench({});
    bench.partitions[0]?.store(1);
    bench.pump.pause(true);
    expect(bench.out).toHaveLength(0);
    bench.pump.pause(false);
    expect(bench.out).toHaveLength(1);
  });
});
