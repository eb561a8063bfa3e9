import type { OutgoingMessage } from '../../src/core/message.ts';

/** A client without us, as its documentation would have it used: what a user would write instead. */
export interface RawClient {
  readonly name: string;
  /** An idempotent producer that is connected, and knows the topic. */
  producer(brokers: readonly string[], topic: string): Promise<RawProducer>;
  /** A member of a group of its own that commits once a second. */
  consume(brokers: readonly string[], topic: string, seen: Seen): Promise<Close>;
  /** A member of a group of its own that passes all of one topic on to another, in transactions with its offsets. */
  pass(brokers: readonly string[], from: string, to: string): Promise<Close>;
}

export interface RawProducer {
  readonly send: (batch: readonly OutgoingMessage[]) => Promise<unknown>;
  readonly close: Close;
}

export type Seen = (key: string | undefined, value: Buffer) => void;
export type Close = () => Promise<unknown>;

/** Below 1 MB, which a broker takes at most of a partition, even where all is for one. */
const mostAtOnce = 4000;

/** What is done to each message that is passed on. */
export const changed = (payload: Buffer): Buffer => Buffer.from(payload.toString().toUpperCase());

/**
 * Sends what has come while the send before was under way. Where each message, or a handful, had a send of its own,
 * either client would fall behind at a few thousand a second.
 */
export function gathering<A = OutgoingMessage>(
  send: (batch: readonly A[]) => Promise<unknown>,
): (batch: readonly A[]) => void {
  const waiting: A[] = [];
  let isSending = false;
  const sendOn = async (): Promise<void> => {
    isSending = true;
    while (waiting.length > 0) {
      await send(waiting.splice(0, mostAtOnce));
    }
    isSending = false;
  };
  return batch => {
    waiting.push(...batch);
    if (!isSending) void sendOn();
  };
}
