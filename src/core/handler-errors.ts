import type { Failure } from './failure.ts';
import type { Meter } from './meter.ts';

/**
 * Counts `stream_handler_error_total`, of the stage that failed, where what a handler threw ends: whoever takes the
 * failure out of the chain does, be it as a dead letter, left out, or answered otherwise. What is tried again is
 * counted where that is done, so that every failure of a handler counts once.
 */
export function countHandlerError(meter: Meter, failure: Failure): void {
  if (failure.tag === 'handle') meter.counter('stream_handler_error_total', { stage: failure.stage }).add();
}
