import { type OperatorFunction, asyncScheduler } from 'rxjs';
import type { Codec } from '../src/core/codec.ts';
import { type Delivery, fail, settlement, withValue } from '../src/core/delivery.ts';
import { type EncodeFailure, reasonOf } from '../src/core/failure.ts';
import { stage } from '../src/core/stage.ts';
import type { StageOptions } from './map-values.ts';

/** Anything with a codec: a topic. */
interface Coded<A> {
  readonly codec: Codec<A>;
}

/**
 * Values become the bytes of a topic's codec; what it cannot write becomes an `encode` failure, which is not
 * retryable. For chains that hand bytes on by themselves; `publishTo` encodes what it publishes.
 *
 * ```
 * in   --v1---v2---F---v3--|      v2: the codec cannot write it
 * out  --b1---F----F---b3--|
 * ```
 *
 * @example
 * scores.pipe(encode(momentumScores)) // Delivery<Score> -> Delivery<Uint8Array>
 */
export function encode<A>(
  { codec }: Coded<A>,
  { name = 'encode', scheduler = asyncScheduler }: StageOptions = {},
): OperatorFunction<Delivery<A>, Delivery<Uint8Array>> {
  const failureOf = (error: unknown, attempts: number): EncodeFailure => {
    const now = scheduler.now();
    return {
      tag: 'encode',
      codec: codec.name,
      stage: name,
      reason: reasonOf(error),
      attempts,
      firstAt: now,
      lastAt: now,
      retryable: false,
      cause: error,
    };
  };
  return stage(name, subscriber => ({
    next: (delivery: Delivery<A>) => {
      if (!delivery.ok) return subscriber.next(delivery);
      let result: Delivery<Uint8Array>;
      try {
        result = withValue(delivery, codec.encode(delivery.value));
      } catch (error) {
        result = fail(delivery, failureOf(error, delivery[settlement].attempt));
      }
      return subscriber.next(result);
    },
  }));
}
