import { setImmediate as turn } from 'node:timers/promises';
import type { VirtualTimeScheduler } from 'rxjs';
import { type FailureReport, deadLetterTopic, withReport } from '../../src/core/dead-letter.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { type Bytes, type OutgoingMessage, messageId } from '../../src/core/message.ts';
import { stubBus } from '../../src/bus/embedded/stub.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { settlement } from '../../src/core/delivery.ts';
import type { Message } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';

/** What a test may say of a dead letter; the rest has defaults. */
export interface LetterSpec extends Partial<FailureReport> {
  /** Default 1; the letter's id. */
  readonly n?: number;
  readonly topic?: string;
  readonly key?: string | null;
  readonly payload?: Bytes;
  readonly headers?: MessageHeaders;
}

/** An id of 32 hex digits that begins with the number. */
export function idOf(n: number): string {
  return n.toString(16).padStart(8, '0').padEnd(32, '0');
}

/** A dead letter on its way to its topic. */
export function letterOf(spec: LetterSpec = {}): OutgoingMessage {
  const { n = 1, topic = deadLetterTopic, key = 'BTC-USD', payload = Buffer.from(`payload ${n}`) } = spec;
  const { headers = MessageHeaders.of({ trace: 't1' }) } = spec;
  const report: FailureReport = {
    origin: { topic: 'prices', partition: n % 3, offset: n },
    timestamp: 1_000 + n,
    pipeline: 'bars',
    stage: 'decode',
    failure: 'decode',
    reason: `price ${n} is not above 0`,
    attempts: 1,
    firstFailureAt: 10_000 + n,
    lastFailureAt: 20_000 + n,
    worker: 'main',
    schemaVersion: undefined,
    count: 1,
    ...spec,
  };
  return {
    topic,
    key,
    payload,
    id: messageId(idOf(n)),
    timestamp: report.timestamp,
    headers: withReport(headers, report),
  };
}

/** A started bus in memory with these topics of three partitions. */
export async function busWith(...topics: readonly string[]): Promise<EventBus> {
  const bus = stubBus();
  await bus.start();
  for (const name of topics) {
    await bus.createTopic({ name, settings: { ...defaultTopicSettings, partitions: 3 } });
  }
  return bus;
}

/** The same bus, with some of its methods in the test's hands. */
export function busWhere(bus: EventBus, own: Partial<EventBus>): EventBus {
  return new Proxy(bus, {
    get: (target, name) => {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Lets virtual time go by up to a moment, ms, and everything happen that hangs on it. */
export async function passUntil(scheduler: VirtualTimeScheduler, time: number): Promise<void> {
  for (;;) {
    for (let i = 0; i < 10; i++) await turn();
    const next = Math.min(...scheduler.actions.map(({ delay }) => delay));
    if (next > time) break;
    scheduler.maxFrames = next;
    scheduler.flush();
  }
}

/** @throws where one is refused */
export async function publish(bus: EventBus, messages: readonly OutgoingMessage[]): Promise<void> {
  for (const message of messages) await bus.publish(message);
}

/** Everything in a topic. */
export function storedIn(bus: EventBus, topic: string): readonly Message[] {
  const messages: Message[] = [];
  bus.source(topic, { untilEnd: true }).subscribe(delivery => {
    messages.push(delivery.message);
    delivery[settlement].ack();
  });
  return messages;
}
