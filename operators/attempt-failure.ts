import type { SchedulerLike } from 'rxjs';
import { type ExpiredFailure, type HandleFailure, handleFailure, reasonOf } from '../src/core/failure.ts';

interface Attempted {
  readonly name: string;
  readonly scheduler: SchedulerLike;
  readonly isRetryable: ((error: unknown) => boolean) | undefined;
  readonly timeoutMs: number | undefined;
}

/** The failure of an attempt whose handler threw; who cannot tell whether to try again is not asked twice. */
export function thrownFailure(
  error: unknown,
  { name, scheduler, isRetryable = mayPass }: Attempted,
): HandleFailure {
  const failure = handleFailure(name, error, 1, scheduler.now());
  try {
    return { ...failure, retryable: isRetryable(error) };
  } catch (thrown) {
    const reason = `${failure.reason}; and isRetryable threw: ${reasonOf(thrown)}`;
    return { ...failure, retryable: false, reason, cause: new AggregateError([error, thrown], reason) };
  }
}

/** The failure of an attempt that took too long. */
export function expiredFailure({ name, scheduler, timeoutMs = 0 }: Attempted): ExpiredFailure {
  const now = scheduler.now();
  const reason = `no result after ${timeoutMs} ms`;
  return {
    tag: 'expired',
    stage: name,
    reason,
    attempts: 1,
    firstAt: now,
    lastAt: now,
    limitMs: timeoutMs,
    retryable: true,
    cause: new DOMException(reason, 'TimeoutError'),
  };
}

/** Most errors pass; some say that they do not. */
function mayPass(error: unknown): boolean {
  return !(typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false);
}
