import {
  type Observable,
  defer,
  firstValueFrom,
  lastValueFrom,
  map,
  take,
  takeWhile,
  tap,
  toArray,
} from 'rxjs';
import type { EventBus } from '../../bus/event-bus.ts';
import { settlement } from '../../core/delivery.ts';
import { type Message, offset } from '../../core/message.ts';
import type { ChainReader } from './find-chain.ts';

/** How far event times of neighbours in a partition may be out of order, ms. */
const disorderMs = 10 * 60_000;
const foundAtMost = 10_000;

/** Reads the messages around an event time out of a bus: seeks to it by halving, then reads on. */
export function busChainReader(bus: EventBus): ChainReader {
  return {
    findById: async (topic, id, around) => {
      const messages = await between(bus, topic, around - disorderMs, around + disorderMs);
      return messages.find(message => message.id === id);
    },
    findBetween: async (topic, key, from, to) => {
      const messages = await between(bus, topic, from, to);
      return messages.filter(message => key === undefined || message.key === key).slice(0, foundAtMost);
    },
  };
}

/** The message whose id is, or begins with, this text. */
export async function findSignal(bus: EventBus, topic: string, id: string): Promise<readonly Message[]> {
  const all = await Promise.all(
    Array.from({ length: bus.partitionsOf(topic) }, (_, partition) =>
      lastValueFrom(readFrom(bus, topic, partition, 0).pipe(toArray())),
    ),
  );
  const found = new Map<string, Message>();
  for (const message of all.flat())
    if (message.id.startsWith(id) && !found.has(message.id)) found.set(message.id, message);
  return [...found.values()].filter(({ payload }) => payload !== null);
}

/** Messages with data whose event time is in `(from, to]`, partition by partition. */
async function between(bus: EventBus, topic: string, from: number, to: number): Promise<readonly Message[]> {
  const { partitions } = await bus.getTopicInfo(topic);
  const found: Message[] = [];
  for (const { partition, firstOffset, nextOffset } of partitions) {
    const start = await offsetBefore(bus, topic, partition, from - disorderMs, firstOffset, nextOffset);
    const messages$ = readFrom(bus, topic, partition, start).pipe(
      takeWhile(({ timestamp }) => timestamp <= to + disorderMs),
      toArray(),
    );
    const messages = await lastValueFrom(messages$);
    found.push(...messages.filter(m => m.payload !== null && m.timestamp > from && m.timestamp <= to));
  }
  return found;
}

/** An offset before which everything is older than the time, near the last such one. */
async function offsetBefore(
  bus: EventBus,
  topic: string,
  partition: number,
  time: number,
  first: number,
  end: number,
): Promise<number> {
  let [low, high] = [first, end];
  while (high - low > 64) {
    const middle = Math.floor((low + high) / 2);
    const message = await firstValueFrom(readFrom(bus, topic, partition, middle).pipe(take(1)), {
      defaultValue: undefined,
    });
    if (message === undefined || message.timestamp >= time) high = middle;
    else low = middle;
  }
  return low;
}

/** One partition from an offset to its end. */
function readFrom(bus: EventBus, topic: string, partition: number, start: number): Observable<Message> {
  return defer(() =>
    bus.source(topic, {
      untilEnd: true,
      partitions: [partition],
      from: { offsets: [{ topic, partition, offset: offset(start) }] },
    }),
  ).pipe(
    tap(delivery => delivery[settlement].ack()),
    map(({ message }) => message),
  );
}
