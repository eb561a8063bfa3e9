import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, fail, settlement, withValue } from '../src/core/delivery.ts';
import type { DecodeFailure } from '../src/core/failure.ts';
import { markerOf } from '../src/core/marker.ts';
import type { Bytes } from '../src/core/message.ts';
import { type RetryMessage, fromRetryTopic } from '../src/core/retry-message.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';

/**
 * Reads messages of a retry topic: when each is due, and what is to be sent back then. What is no such message
 * becomes a `decode` failure; markers end here, acked.
 *
 * ```
 * in   --b1---b2---m--|      b2 does not say where it came from
 * out  --r1---F-------|
 * ```
 */
export function readRetries({
  name = 'readRetries',
  scheduler = asyncScheduler,
}: StageOptions = {}): OperatorFunction<Delivery<Bytes>, Delivery<RetryMessage>> {
  return stage(name, subscriber => ({
    next: (delivery: Delivery<Bytes>) => {
      if (!delivery.ok) return subscriber.next(delivery);
      const { message, [settlement]: duty } = delivery;
      if (markerOf(message)) return duty.drop(name);
      const retry = fromRetryTopic(message);
      if (typeof retry !== 'string') return subscriber.next(withValue(delivery, retry));
      const now = scheduler.now();
      const failure: DecodeFailure = {
        tag: 'decode',
        codec: 'retry',
        stage: name,
        reason: `no message to be tried again: ${retry}`,
        attempts: duty.attempt,
        firstAt: now,
        lastAt: now,
        retryable: false,
      };
      return subscriber.next(fail(delivery, failure));
    },
  }));
}
