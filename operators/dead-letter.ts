import type { OperatorFunction } from 'rxjs';
import { type Delivery, type Failed, type Ok, settlement } from '../src/core/delivery.ts';
import type { Failure } from '../src/core/failure.ts';
import { MessageHeaders } from '../src/core/headers.ts';
import type { Message, OutgoingMessage } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import type { NamedPublisher } from './publish-to.ts';
import { stage } from '../src/core/stage.ts';

export const deadLetterTopic = 'cryptorun-dlq';

export interface DeadLetterOptions {
  /** Default `deadLetter`. */
  readonly name?: string;
  /** Default `cryptorun-dlq`. */
  readonly topic?: string;
  /** How long to wait before the message comes again when the dead letter could not be stored, ms; default 1000. */
  readonly retryAfterMs?: number;
  /** Counts `stream_dlq_total` by failure tag. */
  readonly meter?: Meter;
}

/**
 * Failures leave the stream: each is published to the dead-letter topic as it came, byte for byte, with
 * `x-dlq-*` headers that tell what happened, and acked once that is stored. Where it cannot be stored the
 * delivery is nacked and comes again: nothing is dropped.
 *
 * ```
 * in      --1---F---2--|
 * dlq     ------F------      acked when stored
 * out     --1-------2--|      Delivery<A> -> Ok<A>
 * ```
 */
export function deadLetter<A>(
  publisher: NamedPublisher,
  options: DeadLetterOptions = {},
): OperatorFunction<Delivery<A>, Ok<A>> {
  const { name = 'deadLetter', topic = deadLetterTopic, retryAfterMs = 1000, meter = idleMeter } = options;
  const bury = ({ failure, message, [settlement]: duty }: Failed, stored: () => void): void => {
    publisher.send(letterOf(message, failure, topic, publisher.pipeline), error => {
      if (error) duty.nack(retryAfterMs);
      else {
        meter.counter('stream_dlq_total', { tag: failure.tag }).add();
        duty.ack();
      }
      stored();
    });
  };
  return stage(name, subscriber => {
    let burying = 0;
    let completed = false;
    const stored = (): void => {
      burying--;
      if (completed && burying === 0) subscriber.complete();
    };
    return {
      next: (delivery: Delivery<A>) => {
        if (delivery.ok) return subscriber.next(delivery);
        burying++;
        return bury(delivery, stored);
      },
      complete: () => {
        completed = true;
        if (burying === 0) subscriber.complete();
      },
    };
  });
}

/** The dead letter of a message: its payload, key and headers as they were, and what happened to it. */
function letterOf(message: Message, failure: Failure, topic: string, pipeline?: string): OutgoingMessage {
  const { headers } = message;
  const told = {
    'x-dlq-original-topic': message.topic,
    'x-dlq-original-partition': String(message.partition),
    'x-dlq-original-offset': String(message.offset),
    'x-dlq-original-timestamp': String(message.timestamp),
    'x-dlq-pipeline': pipeline ?? '',
    'x-dlq-stage': failure.stage,
    'x-dlq-failure': failure.tag,
    'x-dlq-reason': failure.reason,
    'x-dlq-attempts': String(failure.attempts),
    'x-dlq-first-failure-time': String(failure.firstAt),
    'x-dlq-last-failure-time': String(failure.lastAt),
  };
  return {
    topic,
    key: message.key,
    payload: message.payload,
    timestamp: message.timestamp,
    headers: MessageHeaders.of([...headers, ...Object.entries(told)]),
    reserved: true,
  };
}
