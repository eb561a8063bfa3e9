import type { Message, MessageId, Offset, OutgoingMessage, Partition } from './message.ts';

/** The closed set of codes with which a bus refuses. */
export type BusErrorCode =
  | 'unsupported-backend'
  | 'unsupported-capability'
  | 'topic-not-found'
  | 'topic-exists'
  | 'invalid-message'
  | 'message-too-large'
  | 'publish-timeout'
  | 'consumer-closed'
  | 'fenced'
  | 'bus-not-started'
  | 'buffer-full'
  | 'invalid-option'
  | 'storage'
  | 'unavailable'
  | 'unauthorized';

/** A bus refused; the text says what was asked, why not, and what to do. */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable =
      code === 'publish-timeout' || code === 'buffer-full' || code === 'storage' || code === 'unavailable';
  }
}

/** Where a message was stored. */
export interface Receipt {
  readonly topic: string;
  readonly partition: Partition;
  readonly offset: Offset;
  readonly id: MessageId;
}

/** Told once what became of a message: its error, or undefined and where it is stored. */
export type Published = (error: BusError | undefined, receipt: Receipt | undefined) => void;

/**
 * What operators may do with a bus. A callback and not a Promise, because one Promise a message costs more
 * than the rest of a pipeline; the callback may come before `send` returns.
 */
export interface Publisher {
  /**
   * Messages of one partition are stored in the order in which they are sent. Where one is refused with a
   * retryable error, those of its partition that were sent after it and before its `done` are refused too, so that
   * a sender can send all of them again in their order.
   */
  send(message: OutgoingMessage, done: Published): void;
  /** How many partitions a topic has. @throws BusError `topic-not-found` */
  partitionsOf(topic: string): number;
}

/** What a consumer is told of a message. */
export type Handler = (message: Message, signal: AbortSignal) => void | Promise<void>;
