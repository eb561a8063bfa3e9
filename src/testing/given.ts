import type { Failure, FailureTag } from '../core/failure.ts';
import { MessageHeaders } from '../core/headers.ts';
import { type Marker, markerMessage } from '../core/marker.ts';
import type { MessageSpec } from './message-builder.ts';

/** A delivery as a test describes it: a value or a failure, and what its message says. */
export class Given<A> {
  readonly content: { readonly value: A } | { readonly failure: Failure };
  readonly message: MessageSpec;
  readonly attempt: number;

  constructor(content: Given<A>['content'], message: MessageSpec, attempt: number) {
    this.content = content;
    this.message = message;
    this.attempt = attempt;
  }
}

/** A value whose message, or the attempt at it (default 1), matters to the test. */
export function given<A>(
  value: A,
  { attempt = 1, ...message }: MessageSpec & { readonly attempt?: number } = {},
): Given<A> {
  return new Given({ value }, message, attempt);
}

/** A delivery that has failed before it enters the chain. */
export function givenFailure(
  spec: Partial<Pick<Failure, 'stage' | 'reason' | 'retryable' | 'attempts' | 'cause'>> = {},
  message: MessageSpec = {},
): Given<never> {
  return new Given<never>({ failure: { ...earlierFailure, ...spec } }, message, 1);
}

/** A marker as a value, as `decode` with `markers` passes it on. */
export function givenMarker(marker: Marker, message: MessageSpec = {}): Given<Marker> {
  return new Given({ value: marker }, { ...markerSpec(marker), ...message }, 1);
}

/** A marker as it comes from a topic: a message without payload. */
export function givenRawMarker(marker: Marker, message: MessageSpec = {}): Given<null> {
  return new Given<null>({ value: null }, { ...markerSpec(marker), ...message }, 1);
}

function markerSpec(marker: Marker): MessageSpec {
  const { headers = MessageHeaders.empty, key, payload } = markerMessage('test', 0, marker);
  return { key, payload, headers, timestamp: marker.time };
}

const earlierFailure: Failure = {
  tag: 'handle',
  stage: 'earlier',
  reason: 'failed before',
  attempts: 1,
  firstAt: 0,
  lastAt: 0,
  retryable: true,
};

/** What a test expects of a failure: its tag and whatever else it names. */
export class ExpectedFailure {
  readonly tag: FailureTag;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(tag: FailureTag, details: Readonly<Record<string, unknown>>) {
    this.tag = tag;
    this.details = details;
  }
}

/**
 * In the values of `toBe`: a failure with this tag; of its other fields only those that are named must agree.
 *
 * @example
 * expectDeliveries(out).toBe('--F--|', { F: failureWith('decode', { stage: 'decode' }) });
 */
export function failureWith(
  tag: FailureTag,
  details: Readonly<Record<string, unknown>> = {},
): ExpectedFailure {
  return new ExpectedFailure(tag, details);
}
