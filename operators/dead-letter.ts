import { type OperatorFunction, type SchedulerLike, asyncScheduler } from 'rxjs';
import type { BackoffOptions } from '../src/core/backoff.ts';
import {
  type FailureReport,
  deadLetterTopic,
  quarantineAfter,
  quarantineTopic,
  reportFailure,
  withReport,
} from '../src/core/dead-letter.ts';
import { type Delivery, type Failed, type Ok, gatheredIn, settlement } from '../src/core/delivery.ts';
import type { Failure } from '../src/core/failure.ts';
import { countHandlerError } from '../src/core/handler-errors.ts';
import { type Message, type OutgoingMessage, deriveId } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { Queue } from '../src/core/queue.ts';
import { stage } from '../src/core/stage.ts';
import { type LetterDialect, withDialects } from './letter-dialects.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { PatientSender } from './patient-sender.ts';

export interface DeadLetterOptions {
  /** Default `deadLetter`. */
  readonly name?: string;
  /** Default `cryptorun-dlq`. */
  readonly topic?: string;
  /**
   * The dead letter of one message that puts it into `cryptorun-quarantine`, redrives included; default the fifth.
   */
  readonly quarantineAfter?: number;
  /** Headers of other ecosystems to write beside ours, for their tools to read; default none. */
  readonly alsoAs?: readonly LetterDialect[];
  /** How long to wait between attempts while a letter cannot be stored; default 100 ms, doubling up to 10 s. */
  readonly backoff?: BackoffOptions;
  /**
   * Counts `stream_dlq_total` and `stream_quarantine_total` by failure tag and `stream_handler_error_total` by the
   * stage that failed, gauges `stream_buffered`.
   */
  readonly meter?: Meter;
  /** The clock of attempts while the dead-letter topic cannot be reached; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Failures leave the stream: each is published to the dead-letter topic as it came, byte for byte, with
 * `x-dlq-*` headers that tell what happened, and acked once that is stored. A message that has become a dead
 * letter too often, redrives included, goes to the quarantine instead. Of a batch that failed, or of which one value
 * failed, each message becomes a dead letter.
 *
 * ```
 * in      --1---F---2--|
 * dlq     ------F------      acked when stored
 * out     --1-------2--|      Delivery<A> -> Ok<A>
 * ```
 *
 * While a letter cannot be stored, whatever the reason, everything waits behind it in order, and with it the
 * source, whose credits are bounded; it is tried again with backoff. Nothing is dropped.
 *
 * @throws OptionError when made, for a bound out of range
 */
export function deadLetter<A>(
  publisher: NamedPublisher,
  options: DeadLetterOptions = {},
): OperatorFunction<Delivery<A>, Ok<A>> {
  const { name = 'deadLetter', meter = idleMeter, scheduler = asyncScheduler } = options;
  const waiter = { name, scheduler, backoff: options.backoff };
  const write = letterWriter(publisher, name, options);
  return stage(name, subscriber => {
    const waiting = new Queue<Ok<A>>();
    let burying = 0;
    let completed = false;
    const goOn = (): void => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (!next[settlement].revoked) subscriber.next(next);
      }
      if (completed && burying === 0) subscriber.complete();
    };
    // Of a dead letter there is no dead letter: whatever the bus says, it has to wait.
    const sender = new PatientSender(publisher, { ...waiter, isPassing: () => true, onRelease: goOn });
    const bury = (delivery: Failed): void => {
      const { failure, [settlement]: duty } = delivery;
      countHandlerError(meter, failure);
      const dead = gatheredIn(delivery);
      let unburied = dead.length;
      let isWanted = false;
      burying++;
      for (const { message, [settlement]: own } of dead) {
        const letter = write(message, failure);
        sender.send(letter.message, own, outcome => {
          if (outcome === 'stored') {
            isWanted = true;
            meter.counter(letter.counter, { tag: failure.tag }).add();
          }
          if (--unburied === 0) {
            burying--;
            if (isWanted) duty.ack();
          }
          if (!sender.isHolding) goOn();
        });
      }
    };
    const forget = meter.gauge('stream_buffered', () => waiting.size + sender.waiting, { stage: name });
    return {
      next: (delivery: Delivery<A>) => {
        if (!delivery.ok) bury(delivery);
        else if (sender.isHolding) waiting.push(delivery);
        else subscriber.next(delivery);
      },
      complete: () => {
        completed = true;
        if (!sender.isHolding) goOn();
      },
      teardown: () => {
        forget();
        sender.stop();
        waiting.clear();
      },
    };
  });
}

interface Letter {
  readonly message: OutgoingMessage;
  readonly counter: 'stream_dlq_total' | 'stream_quarantine_total';
}

/** Makes the dead letter of a message: its payload, key and headers as they were, and what happened to it. */
function letterWriter(
  { pipeline = '', worker = '' }: NamedPublisher,
  name: string,
  options: DeadLetterOptions,
): (message: Message, failure: Failure) => Letter {
  const { topic = deadLetterTopic, alsoAs = [] } = options;
  const limit = wholeNumber(`${name}.quarantineAfter`, options.quarantineAfter ?? quarantineAfter, 1);
  return (message, failure) => {
    const report = reportFailure(message, failure, { pipeline, worker });
    const isTooOften = report.count >= limit;
    const to = isTooOften ? quarantineTopic : topic;
    const { key, payload, timestamp } = message;
    return {
      counter: isTooOften ? 'stream_quarantine_total' : 'stream_dlq_total',
      message: {
        topic: to,
        key,
        payload,
        timestamp,
        id: deriveId(pipeline, to, key, timestamp, ordinalOf(report)),
        headers: withDialects(withReport(message.headers, report), alsoAs, report, failure),
        reserved: true,
        lasting: true,
      },
    };
  };
}

/** The same death gives the same id, so that one that is stored twice can be told. */
function ordinalOf({ origin: { topic, partition, offset }, count }: FailureReport): string {
  return `${topic}/${partition}/${offset}/${count}`;
}
