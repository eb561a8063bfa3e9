import type { SchedulerLike } from 'rxjs';

const stepMs = 10;
/** Nothing has moved for so long: what is left waits for something. */
const standstillMs = 250;

/**
 * Waits until nothing is in flight, or the deadline has passed. What waits for the other side of a join waits for
 * data that nobody sends any more, and what is delayed is not yet due: once nothing else moves, it is left for the
 * next start.
 */
export function settledBy(
  until: number,
  scheduler: SchedulerLike,
  inFlight: () => number,
  waitsForLater: () => boolean,
): Promise<void> {
  let movedAt = scheduler.now();
  let before = -1;
  return new Promise(resolve => {
    const look = (): void => {
      const left = inFlight();
      const now = scheduler.now();
      if (left !== before) movedAt = now;
      before = left;
      const isLeft = now - movedAt >= standstillMs && waitsForLater();
      if (left === 0 || now >= until || isLeft) resolve();
      else scheduler.schedule(look, stepMs);
    };
    look();
  });
}

/** Waits for what calls back, not beyond the deadline. */
export function doneBy(
  until: number,
  scheduler: SchedulerLike,
  begin: (done: () => void) => void,
): Promise<void> {
  return new Promise(resolve => {
    const late = scheduler.schedule(() => resolve(), Math.max(0, until - scheduler.now()));
    begin(() => {
      late.unsubscribe();
      resolve();
    });
  });
}
