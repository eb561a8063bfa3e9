import { describe, expect, it, onTestFinished } from 'vitest';
import { createEventBus } from '../../../src/backends.ts';
import { type Delivery, settlement } from '../../../src/core/delivery.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import type { Bytes, OutgoingMessage } from '../../../src/core/message.ts';
import type { BusError } from '../../../src/core/publisher.ts';
import { type TopicSettings, defaultTopicSettings } from '../../../src/core/topic.ts';
import { Clock, createTopic, everythingIn, payloads } from './temporary-bus.ts';

// Kills: senders are let in before what is pending is stored, and never again where nobody reads.
it('takes a batch larger than a partition that nobody reads', async () => {
  const bus = createEventBus({ kind: 'stub', maxPartitionBytes: 10 * 1024, publishTimeoutMs: 500 });
  await bus.start();
  await bus.createTopic({ name: 'unread', settings: defaultTopicSettings });
  const batch = Array.from({ length: 100 }, (_, i) => ({
    topic: 'unread',
    key: 'k',
    payload: Buffer.alloc(200, i),
  }));
  const results = await bus.publishBatch(batch);
  await bus.stop();
  expect(results.map(result => result.ok && result.receipt.offset)).toEqual(batch.map((_, i) => i));
});

const letter = (n: number, rest: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  topic: 'letters',
  key: 'k',
  payload: Buffer.from(String(n)),
  reserved: true,
  lasting: true,
  ...rest,
});

/** A bus of few bytes, and what it still holds. */
async function smallBus(settings: Partial<TopicSettings> = {}) {
  const scheduler = new Clock();
  const bus = createEventBus({
    kind: 'stub',
    maxPartitionBytes: 10 * 1024,
    publishTimeoutMs: 500,
    maintenanceIntervalMs: 60_000,
    scheduler,
  });
  await bus.start();
  onTestFinished(() => bus.stop());
  await createTopic(bus, 'letters', settings);
  const outcomes: (BusError | undefined)[] = [];
  return {
    bus,
    scheduler,
    outcomes,
    send: (message: OutgoingMessage): void => bus.send(message, error => void outcomes.push(error)),
    held: (): (string | null)[] => payloads(everythingIn(bus, 'letters')),
  };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

describe('a full partition', () => {
  it('drops no dead letter for another, read or not: who sends more waits, and is told why', async () => {
    const { bus, scheduler, outcomes, send, held } = await smallBus();
    const reader = bus
      .source('letters', { group: 'looks-at-them' })
      .subscribe(looked => looked[settlement].ack());
    onTestFinished(() => reader.unsubscribe());
    for (let n = 0; n < 100; n++) send(letter(n));
    scheduler.runFor(500);
    const stored = outcomes.filter(error => error === undefined).length;
    expect(stored).toBeGreaterThan(20);
    expect(outcomes.length).toBe(100);
    expect(held()).toEqual(numbers(stored));
    expect(outcomes.at(-1)).toMatchObject({ code: 'publish-timeout', retryable: true });
    expect(outcomes.at(-1)?.message).toContain(
      'no dead letter is dropped for another: shorten the retention',
    );
  });

  it('of dead letters has room again once the retention of its topic lets some go', async () => {
    const { scheduler, outcomes, send, held } = await smallBus({ retentionMs: 60_000 });
    for (let n = 0; n < 20; n++) send(letter(n));
    scheduler.runFor(130_000);
    for (let n = 20; n < 40; n++) send(letter(n));
    expect(outcomes).toEqual(Array(40).fill(undefined));
    expect(held()).toEqual(numbers(40).slice(20));
  });

  it('drops no retry that nobody reads, and those that were read', async () => {
    const { bus, outcomes, send, held, scheduler } = await smallBus();
    for (let n = 0; n < 100; n++) send(letter(n, { lasting: false }));
    scheduler.runFor(500);
    const stored = outcomes.filter(error => error === undefined).length;
    expect(held()).toEqual(numbers(stored));
    const read: string[] = [];
    const reader = bus.source('letters', { group: 'retries' }).subscribe(delivery => {
      read.push(String(delivery.message.payload));
      delivery[settlement].ack();
    });
    onTestFinished(() => reader.unsubscribe());
    scheduler.runFor(5_000);
    expect(read).toEqual(numbers(stored));
    for (let n = 0; n < 100; n++) {
      send(letter(n, { lasting: false }));
      scheduler.runFor(100);
    }
    expect(outcomes.slice(100)).toEqual(Array(100).fill(undefined));
    expect(read.length).toBe(stored + 100);
  });

  it('drops the oldest of what nobody has to have', async () => {
    const { outcomes, send, held } = await smallBus();
    for (let n = 0; n < 100; n++) send(letter(n, { lasting: false, reserved: false }));
    expect(outcomes).toEqual(Array(100).fill(undefined));
    expect(held().length).toBeLessThan(25);
    expect(held().at(-1)).toBe('99');
  });

  // A join does so that needs a marker from behind the bound: state is not written, and nothing let go, until it comes.
  it('gives way where its reader has taken all of it and waits for more, and no further than that', async () => {
    const { bus, scheduler, outcomes, send } = await smallBus();
    const held: Delivery<Bytes>[] = [];
    const reader = bus.source('letters', { group: 'waits', maxInFlight: 300 }).subscribe(delivery => {
      held.push(delivery);
      if (held.length !== 200) return;
      for (const each of held) each[settlement].ack();
    });
    onTestFinished(() => reader.unsubscribe());
    const patient = { lasting: false, reserved: false, patient: true, payload: Buffer.alloc(200) };
    for (let n = 0; n < 250; n++) send(letter(n, patient));
    expect(held.length).toBeLessThan(20);
    scheduler.runFor(900);
    expect(held.length).toBeLessThan(20);
    scheduler.runFor(60_000);
    expect(held.length).toBe(250);
    expect(outcomes).toEqual(Array(250).fill(undefined));
  });

  it('does not give way for readers who have yet to take what is there', async () => {
    const { bus, scheduler, outcomes, send } = await smallBus();
    const taken: unknown[] = [];
    const reader = bus
      .source('letters', { group: 'slow', maxInFlight: 10 })
      .subscribe(delivery => taken.push(delivery));
    onTestFinished(() => reader.unsubscribe());
    const plain = { lasting: false, reserved: false, payload: Buffer.alloc(200) };
    for (let n = 0; n < 100; n++) send(letter(n, { ...plain, patient: true }));
    scheduler.runFor(60_000);
    expect(taken.length).toBe(10);
    expect(outcomes.length).toBeLessThan(60);
  });

  // Kills: room is only made where the partition is three quarters full: a large message waits for nothing.
  it.each([
    ['half of it', 5_000],
    ['all of it', 9_600],
    ['more than it may hold', 20_000],
  ])('makes room for a message that takes %s', async (_, bytes) => {
    const { outcomes, send, held } = await smallBus();
    const plain = { lasting: false, reserved: false };
    const large = Buffer.alloc(bytes, 'x');
    for (let n = 0; n < 12; n++) send(letter(n, plain));
    send(letter(12, { ...plain, payload: large }));
    expect(held().at(-1)).toBe(large.toString());
    send(letter(13, plain));
    expect(held().at(-1)).toBe('13');
    expect(outcomes).toEqual(Array(14).fill(undefined));
  });

  it.each([
    ['headers', { headers: MessageHeaders.of({ note: 'x'.repeat(2_000) }) }],
    ['keys', { key: 'x'.repeat(2_000) }],
  ])('counts long %s as it does payloads', async (_, rest) => {
    const { outcomes, send, held } = await smallBus();
    for (let n = 0; n < 100; n++) send(letter(n, { lasting: false, reserved: false, ...rest }));
    expect(outcomes).toEqual(Array(100).fill(undefined));
    expect(held().length).toBeLessThan(6);
  });
});
