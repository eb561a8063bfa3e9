import { randomUUID } from 'node:crypto';
import { firstValueFrom, tap, toArray } from 'rxjs';
import { onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import type { KafkaOptions } from '../../../src/bus/kafka/kafka-options.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { Message } from '../../../src/core/message.ts';
import { type TopicSettings, defaultTopicSettings } from '../../../src/core/topic.ts';

/** A bus that runs until the test ends. */
export async function startedBus(options: KafkaOptions): Promise<EventBus> {
  const bus = kafkaBus(options);
  await bus.start();
  onTestFinished(() => bus.stop(), 30_000);
  return bus;
}

/** A topic of a name that nobody else has. */
export async function newTopic(bus: EventBus, settings: Partial<TopicSettings> = {}): Promise<string> {
  const name = `test-${randomUUID()}`;
  await bus.createTopic({ name, settings: { ...defaultTopicSettings, ...settings } });
  return name;
}

/** All that a topic holds now. */
export async function readAll(bus: EventBus, topic: string): Promise<readonly Message[]> {
  const acked$ = bus.source(topic, { untilEnd: true }).pipe(tap(delivery => delivery[settlement].ack()));
  return (await firstValueFrom(acked$.pipe(toArray()))).map(({ message }) => message);
}

export function textOf(payload: Uint8Array | null): string | null {
  return payload === null ? null : Buffer.from(payload).toString();
}
