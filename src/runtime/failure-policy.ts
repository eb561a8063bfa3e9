import type { OperatorFunction } from 'rxjs';
import { type Delivery, type Ok, settlement } from '../core/delivery.ts';
import type { Failure } from '../core/failure.ts';
import { countHandlerError } from '../core/handler-errors.ts';
import type { Meter } from '../core/meter.ts';
import { stage } from '../core/stage.ts';

/** A failure under the policy `stop`: it ends the pipeline, which is then restarted with backoff. */
export class PipelineStopped extends Error {
  override readonly name = 'PipelineStopped';
  readonly failure: Failure;

  constructor(failure: Failure, place: string) {
    super(`${failure.stage} failed at ${place} (${failure.tag}): ${failure.reason}`, {
      cause: failure.cause,
    });
    this.failure = failure;
  }
}

/** The failure policies that need no dead-letter topic. */
export function passByPolicy<A>(policy: 'skip' | 'stop', meter: Meter): OperatorFunction<Delivery<A>, Ok<A>> {
  return stage(policy, subscriber => ({
    next: (delivery: Delivery<A>) => {
      if (delivery.ok) return subscriber.next(delivery);
      const { failure, message } = delivery;
      countHandlerError(meter, failure);
      if (policy === 'stop') {
        const place = `${message.topic}[${message.partition}]@${message.offset}`;
        return subscriber.error(new PipelineStopped(failure, place));
      }
      meter.counter('stream_skipped_total', { tag: failure.tag }).add();
      return delivery[settlement].ack();
    },
  }));
}

/** Lets only what has not failed pass; stands for a policy in a chain that is drawn and not run. */
export function dropFailures<A>(policy: string): OperatorFunction<Delivery<A>, Ok<A>> {
  return stage(policy, subscriber => ({
    next: (delivery: Delivery<A>) => {
      if (delivery.ok) subscriber.next(delivery);
    },
  }));
}
