import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';

/**
 * The time by which a scheduler's timers go, ms since some beginning. Its `now` is the clock on the wall: that tells
 * when something happened, but can be set, so it is no measure of how long something has taken or has still to wait.
 */
export function steadyNow(scheduler: SchedulerLike): number {
  return scheduler instanceof VirtualTimeScheduler ? scheduler.frame : performance.now();
}
