import { type OperatorFunction, type SchedulerLike, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import type { BackoffOptions } from '../src/core/backoff.ts';
import type { PublishFailure } from '../src/core/failure.ts';
import type { OutgoingMessage } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import type { BusError } from '../src/core/publisher.ts';
import { stage } from '../src/core/stage.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { PatientSender } from './patient-sender.ts';

export interface PublishMessagesOptions {
  /** Default `publishMessages`. */
  readonly name?: string;
  /** The clock of failures and of attempts while the bus refuses; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** How long to wait between attempts while the bus refuses; default 100 ms, doubling up to 10 s. */
  readonly backoff?: BackoffOptions;
  /** Gauges `stream_buffered`. */
  readonly meter?: Meter;
}

/**
 * Publishes messages that are made already, each to the topic it names, and passes them on once the broker has
 * them. As with `publishTo` everything waits in order while the bus refuses what it may take later; what it
 * refuses for good becomes a `publish` failure.
 *
 * ```
 * in      --m1---m2---F--|
 * topics  --m1---m2------      stored a little later
 * out     ---m1---m2--F--|
 * ```
 */
export function publishMessages(
  publisher: NamedPublisher,
  options: PublishMessagesOptions = {},
): OperatorFunction<Delivery<OutgoingMessage>, Delivery<OutgoingMessage>> {
  const { name = 'publishMessages', scheduler = asyncScheduler, meter = idleMeter, backoff } = options;
  const refused = ({ value, [settlement]: duty }: Ok<OutgoingMessage>, error: BusError): PublishFailure => ({
    tag: 'publish',
    stage: name,
    reason: error.message,
    code: error.code,
    topic: value.topic,
    attempts: duty.attempt,
    firstAt: scheduler.now(),
    lastAt: scheduler.now(),
    retryable: error.retryable,
    cause: error,
  });
  return stage(name, subscriber => {
    const sender = new PatientSender(publisher, { name, scheduler, backoff });
    const forget = meter.gauge('stream_buffered', () => sender.waiting, { stage: name });
    let sending = 0;
    let completed = false;
    return {
      next: (delivery: Delivery<OutgoingMessage>) => {
        if (!delivery.ok) return subscriber.next(delivery);
        sending++;
        return sender.send(delivery.value, delivery[settlement], outcome => {
          sending--;
          if (outcome === 'stored') subscriber.next(delivery);
          else if (outcome !== 'taken-back') subscriber.next(fail(delivery, refused(delivery, outcome)));
          if (completed && sending === 0) subscriber.complete();
        });
      },
      complete: () => {
        completed = true;
        if (sending === 0) subscriber.complete();
      },
      teardown: () => {
        forget();
        sender.stop();
      },
    };
  });
}
