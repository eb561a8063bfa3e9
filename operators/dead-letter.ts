import { type OperatorFunction, type SchedulerLike, asyncScheduler } from 'rxjs';
import type { BackoffOptions } from '../src/core/backoff.ts';
import {
  type FailureReport,
  deadLetterTopic,
  quarantineAfter,
  quarantineTopic,
  reportFailure,
  shortened,
  withReport,
} from '../src/core/dead-letter.ts';
import { type Delivery, type Failed, type Ok, gatheredIn, settlement } from '../src/core/delivery.ts';
import { originOf } from '../src/core/derived-message.ts';
import type { Failure } from '../src/core/failure.ts';
import { countHandlerError } from '../src/core/handler-errors.ts';
import type { MessageHeaders } from '../src/core/headers.ts';
import { type Message, type OutgoingMessage, deriveId } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { BusError } from '../src/core/publisher.ts';
import { Queue } from '../src/core/queue.ts';
import type { Settlement } from '../src/core/settlement.ts';
import { stage } from '../src/core/stage.ts';
import { type LetterDialect, withDialects } from './letter-dialects.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { PatientSender, type Sending } from './patient-sender.ts';

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
 * source, whose credits are bounded; it is tried again with backoff. Nothing is dropped. One that is too large for
 * its topic leaves out most of what was said of the failure, but nothing of the message.
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
    const brief = new WeakSet<OutgoingMessage>();
    const sender = new PatientSender(publisher, {
      ...waiter,
      isPassing: ({ code }, message) => code !== 'message-too-large' || brief.has(message),
      onRelease: goOn,
    });
    /** Stores the letter of one message, shortened where it is too large. */
    const store = (
      message: Message,
      failure: Failure,
      duty: Settlement,
      done: (isStored: boolean) => void,
    ): void => {
      const letter = write(message, failure);
      const told = (outcome: Sending): void => {
        if (outcome instanceof BusError) {
          const shorter = letter.brief();
          brief.add(shorter);
          sender.send(shorter, duty, told);
          return;
        }
        if (outcome === 'stored') meter.counter(letter.counter, { tag: failure.tag }).add();
        done(outcome === 'stored');
        if (!sender.isHolding) goOn();
      };
      sender.send(letter.message, duty, told);
    };
    const bury = (delivery: Failed): void => {
      const { failure, [settlement]: duty } = delivery;
      countHandlerError(meter, failure);
      const dead = gatheredIn(delivery);
      let unburied = dead.length;
      let isWanted = false;
      burying++;
      for (const { message, [settlement]: own } of dead) {
        store(originOf(message), failure, own, isStored => {
          isWanted ||= isStored;
          if (--unburied > 0) return;
          burying--;
          if (isWanted) duty.ack();
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

/** Characters of the reason in a letter that was too large. */
const briefReason = 200;

interface Letter {
  readonly message: OutgoingMessage;
  /** The same with as little beside the message as can be. */
  readonly brief: () => OutgoingMessage;
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
    const id = deriveId(pipeline, to, key, timestamp, ordinalOf(report));
    const withHeaders = (headers: MessageHeaders): OutgoingMessage => {
      return { topic: to, key, payload, timestamp, id, headers, reserved: true, lasting: true };
    };
    return {
      counter: isTooOften ? 'stream_quarantine_total' : 'stream_dlq_total',
      message: withHeaders(withDialects(withReport(message.headers, report), alsoAs, report, failure)),
      brief: () =>
        withHeaders(
          withReport(message.headers, { ...report, reason: shortened(failure.reason, briefReason) }),
        ),
    };
  };
}

/** The same death gives the same id, so that one that is stored twice can be told. */
function ordinalOf({ origin: { topic, partition, offset }, count }: FailureReport): string {
  return `${topic}/${partition}/${offset}/${count}`;
}
