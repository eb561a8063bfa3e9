import { type OperatorFunction, type SchedulerLike, asyncScheduler } from 'rxjs';
import type { BackoffOptions } from '../src/core/backoff.ts';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import { type EncodeFailure, type PublishFailure, reasonOf } from '../src/core/failure.ts';
import type { OutgoingMessage } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import type { BusError } from '../src/core/publisher.ts';
import { partialStage } from '../src/core/stage.ts';
import type { NamedPublisher } from './named-publisher.ts';
import { PatientSender } from './patient-sender.ts';

/** What operators that publish have in common. */
export interface SendOptions {
  /** Default: the name of the operator. */
  readonly name?: string;
  /** The clock of failures and of attempts while the bus refuses; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** How long to wait between attempts while the bus refuses; default 100 ms, doubling up to 10 s. */
  readonly backoff?: BackoffOptions;
  /** Gauges `stream_buffered`. */
  readonly meter?: Meter;
}

/** How a value becomes a message; `codec` names who writes its payload. */
interface MakeMessage<A> {
  readonly codec: string;
  readonly make: (delivery: Ok<A>) => OutgoingMessage;
}

/**
 * Sends what each value becomes and passes the delivery on once the bus has stored it. What cannot be made becomes
 * an `encode` failure, what the bus refuses for good a `publish` failure; both leave at once.
 */
export function sendStage<A>(
  name: string,
  publisher: NamedPublisher,
  { codec, make }: MakeMessage<A>,
  { scheduler = asyncScheduler, meter = idleMeter, backoff }: SendOptions,
): OperatorFunction<Delivery<A>, Delivery<A>> {
  const base = (delivery: Ok<A>, error: unknown): Omit<EncodeFailure, 'tag' | 'codec'> => ({
    stage: name,
    reason: reasonOf(error),
    attempts: delivery[settlement].attempt,
    firstAt: scheduler.now(),
    lastAt: scheduler.now(),
    retryable: false,
    cause: error,
  });
  const unwritable = (delivery: Ok<A>, error: unknown): EncodeFailure => ({
    ...base(delivery, error),
    tag: 'encode',
    codec,
  });
  const refused = (delivery: Ok<A>, topic: string, error: BusError): PublishFailure => ({
    ...base(delivery, error),
    tag: 'publish',
    code: error.code,
    topic,
    retryable: error.retryable,
  });
  return partialStage(name, subscriber => {
    const sender = new PatientSender(publisher, { name, scheduler, backoff });
    const forget = meter.gauge('stream_buffered', () => sender.waiting, { stage: name });
    let sending = 0;
    let completed = false;
    const send = (delivery: Ok<A>, message: OutgoingMessage): void => {
      sending++;
      sender.send(message, delivery[settlement], outcome => {
        sending--;
        // Taken back while it was sent it comes again, or is another's by now, and so is the state that it would change.
        const isWanted = outcome !== 'taken-back' && !delivery[settlement].revoked;
        if (isWanted)
          subscriber.next(
            outcome === 'stored' ? delivery : fail(delivery, refused(delivery, message.topic, outcome)),
          );
        if (completed && sending === 0) subscriber.complete();
      });
    };
    return {
      next: (delivery: Delivery<A>) => {
        if (!delivery.ok) return subscriber.next(delivery);
        let message: OutgoingMessage;
        try {
          message = make(delivery);
        } catch (error) {
          return subscriber.next(fail(delivery, unwritable(delivery, error)));
        }
        return send(delivery, message);
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
