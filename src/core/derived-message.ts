import type { MessageHeaders } from './headers.ts';
import {
  type Bytes,
  type Message,
  type MessageId,
  type Offset,
  type Partition,
  deriveId,
} from './message.ts';

/** What of a derived message is its own; what is left out is as in the message that it was made of. */
export interface Derivation {
  readonly key?: string | null;
  /** Event time, ms. */
  readonly timestamp?: number;
  /** Makes its id, with key and event time: what is told apart here is told apart wherever ids are looked at. */
  readonly ordinal: () => string;
}

/**
 * What stands for a message once an operator has made something else of it: a result of a window has the key and the end
 * of the window, wherever what closed it came from; of several outputs of one message each has an id of its own.
 */
class DerivedMessage implements Message {
  readonly origin: Message;
  readonly key: string | null;
  readonly timestamp: number;
  readonly #ordinal: () => string;

  constructor(origin: Message, { key, timestamp, ordinal }: Required<Derivation>) {
    this.origin = origin;
    this.key = key;
    this.timestamp = timestamp;
    this.#ordinal = ordinal;
  }

  /** Worked out when it is read: who publishes under an id of his own needs none. */
  get id(): MessageId {
    return deriveId('', this.topic, this.key, this.timestamp, this.#ordinal());
  }

  get topic(): string {
    return this.origin.topic;
  }

  get partition(): Partition {
    return this.origin.partition;
  }

  get offset(): Offset {
    return this.origin.offset;
  }

  get payload(): Bytes {
    return this.origin.payload;
  }

  get headers(): MessageHeaders {
    return this.origin.headers;
  }

  get logTime(): number {
    return this.origin.logTime;
  }
}

/** The message of what an operator makes of a message. */
export function derivedMessage(
  message: Message,
  { key = message.key, timestamp = message.timestamp, ordinal }: Derivation,
): Message {
  return new DerivedMessage(originOf(message), { key, timestamp, ordinal });
}

/** The message as it came from its topic: what is buried, retried, and named as the cause. */
export function originOf(message: Message): Message {
  return message instanceof DerivedMessage ? message.origin : message;
}
