import { MessageHeaders } from '../core/headers.ts';
import type { OutgoingMessage } from '../core/message.ts';
import type { BusError } from '../core/publisher.ts';
import { contentBound, type MessageContent } from '../log/message-record.ts';
import type { Acceptance, Accepted } from './acceptance.ts';

/** A message that is complete, so that it is the same one however often it is sent. */
export type KeptMessage = OutgoingMessage & MessageContent;

/** What a record takes around a message's content, at most: frame, seal, kind, flags, lengths. */
const recordOverhead = 96;

/** One message on its way to the broker. */
export class SpillEntry {
  readonly message: KeptMessage;
  /** What must stay in order: messages with the same lane. Null where no order is asked for. */
  readonly lane: string | null;
  /** The most it takes on disk. */
  readonly bytes: number;
  /** When it was given to us, ms. */
  readonly time: number;
  /** Its place in the folder; -1 while it is in memory only. */
  offset: number;
  /** The one behind it in its lane. */
  next: SpillEntry | undefined = undefined;
  phase: 'waiting' | 'sending' | 'settled' = 'waiting';
  #done: Accepted | undefined;

  constructor(message: KeptMessage, time: number, offset: number, done: Accepted | undefined) {
    this.message = message;
    this.lane = laneOf(message);
    this.bytes = boundOf(message);
    this.time = time;
    this.offset = offset;
    this.#done = done;
  }

  /** Whether its sender has been told. */
  get isTold(): boolean {
    return this.#done === undefined;
  }

  /** Tells the sender, the first time. What the sender throws is its own affair, not that of the others. */
  tell(error: BusError | undefined, acceptance: Acceptance | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    try {
      done?.(error, acceptance);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}

/** The message with what the bus would otherwise fill in anew at every attempt. */
export function complete(
  message: OutgoingMessage,
  now: number,
  nextId: () => MessageContent['id'],
): KeptMessage {
  return {
    ...message,
    id: message.id ?? nextId(),
    timestamp: message.timestamp ?? now,
    headers: message.headers ?? MessageHeaders.empty,
  };
}

function boundOf(message: KeptMessage): number {
  return recordOverhead + 3 * message.topic.length + contentBound(message);
}

/** Without a key only a sender that names the partition can mean an order. */
function laneOf({ topic, key, partition }: OutgoingMessage): string | null {
  if (key !== null) return `${topic} k${key}`;
  return partition === undefined ? null : `${topic} p${partition}`;
}
