import { type OperatorFunction, type SchedulerLike, asyncScheduler } from 'rxjs';
import type { Codec, CodecError } from '../src/core/codec.ts';
import { type Delivery, type Ok, fail, settlement, withValue } from '../src/core/delivery.ts';
import type { DecodeFailure } from '../src/core/failure.ts';
import { type Marker, markerOf } from '../src/core/marker.ts';
import type { Bytes, Message } from '../src/core/message.ts';
import { stage } from '../src/core/stage.ts';

export interface DecodeOptions<A = never> {
  /** What must hold beyond the codec, given the whole message: the problem in words, or undefined. */
  readonly check?: (value: A, message: Message) => string | undefined;
  /** Default `decode`. */
  readonly name?: string;
  /** Pass markers on as values, for operators that go by event time; default false: they end here, acked. */
  readonly markers?: boolean;
  /** The clock of failures' times; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** Anything with a codec: a topic. */
interface Coded<A> {
  readonly codec: Codec<A>;
}

/**
 * Bytes become values; what the topic's codec refuses becomes a `decode` failure, which is not retryable.
 *
 * ```
 * in   --b1---b2---m---b3--|      m: a marker, b2: not what the codec expects
 * out  --v1---F--------v3--|      F: Failed, the marker is acked
 * ```
 *
 * @example
 * source(prices).pipe(decode(prices)) // Delivery<Bytes> -> Delivery<MarketPrice>
 */
export function decode<A>(
  topic: Coded<A>,
  options: DecodeOptions<A> & { readonly markers: true },
): OperatorFunction<Delivery<Bytes>, Delivery<A | Marker>>;
export function decode<A>(
  topic: Coded<A>,
  options?: DecodeOptions<A>,
): OperatorFunction<Delivery<Bytes>, Delivery<A>>;
export function decode<A>(
  { codec }: Coded<A>,
  { name = 'decode', markers = false, scheduler = asyncScheduler, check }: DecodeOptions<A> = {},
): OperatorFunction<Delivery<Bytes>, Delivery<A | Marker>> {
  return stage(name, subscriber => {
    const takeMarker = (delivery: Ok<Bytes>, marker: Marker): void => {
      if (markers) subscriber.next(withValue(delivery, marker));
      else delivery[settlement].drop(name);
    };
    const refuse = (delivery: Ok<Bytes>, reason: string, cause?: CodecError): void => {
      const now = scheduler.now();
      const failure: DecodeFailure = {
        tag: 'decode',
        codec: codec.name,
        stage: name,
        reason,
        attempts: delivery[settlement].attempt,
        firstAt: now,
        lastAt: now,
        retryable: false,
        cause,
      };
      subscriber.next(fail(delivery, failure));
    };
    return {
      next: (delivery: Delivery<Bytes>) => {
        if (!delivery.ok) return subscriber.next(delivery);
        if (delivery.value === null) {
          const marker = markerOf(delivery.message);
          return marker ? takeMarker(delivery, marker) : refuse(delivery, 'no payload: a tombstone');
        }
        const decoded = codec.decode(delivery.value);
        if (decoded._tag === 'Left') return refuse(delivery, decoded.left.message, decoded.left);
        const problem = check?.(decoded.right, delivery.message);
        return problem === undefined
          ? subscriber.next(withValue(delivery, decoded.right))
          : refuse(delivery, problem);
      },
    };
  });
}
