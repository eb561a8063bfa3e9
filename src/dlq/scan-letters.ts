import type { EventBus, StartOffset } from '../bus/event-bus.ts';
import { type DeadLetter, deadLetterTopic, readDeadLetter } from '../core/dead-letter.ts';
import { settlement } from '../core/delivery.ts';
import { type Message, offset } from '../core/message.ts';
import { batchesOf } from './delivery-batches.ts';

/** The offset from which to read, by partition; a partition that is missing is read from its beginning. */
export type Positions = Readonly<Record<number, number>>;

export interface ScanOptions {
  /** Default `cryptorun-dlq`. */
  readonly topic?: string;
  /** Default: from the beginning. */
  readonly from?: Positions;
  /** Default: all. */
  readonly partitions?: readonly number[];
  readonly signal?: AbortSignal;
}

/** A message of a dead-letter topic, and the letter it is; what others put there is none. */
export interface ScannedLetter {
  readonly message: Message;
  readonly letter: DeadLetter | undefined;
}

/** Messages read ahead at most. */
const readAhead = 256;

/**
 * Reads a dead-letter topic up to what is its end now, batch by batch, without leaving a trace.
 *
 * @throws BusError `topic-not-found`
 */
export async function* scanLetters(
  bus: EventBus,
  { topic = deadLetterTopic, from = {}, partitions, signal }: ScanOptions = {},
): AsyncGenerator<readonly ScannedLetter[]> {
  const source$ = bus.source(topic, {
    untilEnd: true,
    maxInFlight: readAhead,
    ...(partitions && { partitions }),
    from: { offsets: startOffsets(topic, from) },
  });
  for await (const batch of batchesOf(source$, signal)) {
    yield batch.map(({ message }) => ({ message, letter: readDeadLetter(message) }));
    for (const delivery of batch) delivery[settlement].ack();
  }
}

/** Where a reader of such a topic begins. */
export function startOffsets(topic: string, from: Positions): readonly StartOffset[] {
  return Object.entries(from).map(([partition, start]) => ({
    topic,
    partition: Number(partition),
    offset: offset(start),
  }));
}
