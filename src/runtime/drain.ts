import type { SchedulerLike } from 'rxjs';
import { inTime } from '../core/in-time.ts';
import type { DrainEnd } from './drained.ts';
import { steadyNow } from '../core/steady-clock.ts';

const stepMs = 10;
/** Nothing has moved for so long: what is left waits for something. */
const standstillMs = 250;

/** What a drain waits for, to be asked again and again. */
export interface Draining {
  /** Messages from the first unsettled one on. */
  readonly inFlight: () => number;
  /** Of them those that are not settled. */
  readonly unsettled: () => number;
  /** Of these those that wait for data or for a time. */
  readonly waitingForLater: () => number;
}

/**
 * Waits until nothing is in flight, or the deadline has passed, and says which. What waits for the other side of a
 * join waits for data that nobody sends any more, and what is delayed is not yet due: once all else is settled and
 * nothing moves, it is left for the next start.
 */
export function settledBy(
  until: number,
  scheduler: SchedulerLike,
  { inFlight, unsettled, waitingForLater }: Draining,
): Promise<DrainEnd> {
  let movedAt = steadyNow(scheduler);
  let before = -1;
  return new Promise(resolve => {
    const look = (): void => {
      const left = inFlight();
      const now = steadyNow(scheduler);
      if (left !== before) movedAt = now;
      before = left;
      const waiting = waitingForLater();
      const isDue = now >= until;
      const isAllForLater = waiting > 0 && waiting >= unsettled();
      if (left === 0) resolve('finished');
      else if (isAllForLater && (isDue || now - movedAt >= standstillMs)) resolve('later');
      else if (isDue) resolve('deadline');
      else scheduler.schedule(look, stepMs);
    };
    look();
  });
}

/** Waits for what calls back, not beyond the deadline; whether it has in time. */
export function doneBy(
  until: number,
  scheduler: SchedulerLike,
  begin: (done: () => void) => void,
): Promise<boolean> {
  const done = new Promise<true>(resolve => begin(() => resolve(true)));
  return inTime(done, until - steadyNow(scheduler), scheduler, () => false);
}
