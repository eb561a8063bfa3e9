import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { settlement } from '../../src/core/delivery.ts';
import { FakePublisher, RecordingMeter, virtualBus } from '../../src/testing/index.ts';

const message = { topic: 't', key: 'k', payload: null };

describe('FakePublisher', () => {
  it('stores at once, or after its latency, in the order of arrival', () => {
    const scheduler = new VirtualTimeScheduler();
    const publisher = new FakePublisher({ scheduler, partitions: { t: 3 } });
    const told: string[] = [];
    publisher.send(message, (_, receipt) => told.push(`at once ${receipt?.offset}`));
    publisher.latencyMs = 5;
    publisher.send(message, (_, receipt) => told.push(`${scheduler.now()} ms ${receipt?.offset}`));
    expect([publisher.sending, publisher.stored.length]).toEqual([1, 1]);
    scheduler.flush();
    expect(told).toEqual(['at once 0', '5 ms 1']);
    expect(publisher.storedIn('t')).toHaveLength(2);
    expect([publisher.partitionsOf('t'), publisher.partitionsOf('u')]).toEqual([3, 1]);
  });

  it('refuses as often as it is told to, and stores nothing of that', () => {
    const publisher = new FakePublisher();
    publisher.failNext('buffer-full', 2);
    const told: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) publisher.send(message, error => told.push(error?.code));
    expect(told).toEqual(['buffer-full', 'buffer-full', undefined]);
    expect(publisher.stored).toHaveLength(1);
  });
});

describe('RecordingMeter', () => {
  it('keeps a series for each name and tags, in any order of tags', () => {
    const meter = new RecordingMeter();
    meter.counter('n', { a: '1', b: '2' }).add(3);
    meter.counter('n', { b: '2', a: '1' }).add();
    expect([meter.count('n', { a: '1', b: '2' }), meter.count('n')]).toEqual([4, 0]);
  });

  it('reads a gauge until it is taken back, not the one that took its place', () => {
    const meter = new RecordingMeter();
    const takeBack = meter.gauge('g', () => 1);
    expect(meter.read('g')).toBe(1);
    meter.gauge('g', () => 2);
    takeBack();
    expect(meter.read('g')).toBe(2);
  });
});

describe('virtualBus', () => {
  it('delivers, and delivers again, in its own time', () => {
    const { bus, scheduler, runFor } = virtualBus({ topics: { t: { partitions: 2 } } });
    const seen: string[] = [];
    bus.source('t', { group: 'g' }).subscribe(({ message: { key }, [settlement]: duty }) => {
      seen.push(`${key} ${duty.attempt} at ${scheduler.now()}`);
      if (duty.attempt === 1) duty.nack(100);
      else duty.ack();
    });
    bus.send({ ...message, key: 'a' }, () => undefined);
    runFor(99);
    expect(seen).toEqual(['a 1 at 0']);
    runFor(1);
    expect([seen.at(-1), scheduler.now(), bus.partitionsOf('t')]).toEqual(['a 2 at 100', 100, 2]);
  });
});
