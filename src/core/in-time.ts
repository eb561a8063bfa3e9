import { type SchedulerLike, Subscription } from 'rxjs';

/**
 * The answer, or what `late` gives or throws once so many ms have passed without one; an answer that comes later is
 * dropped.
 */
export function inTime<A, B>(
  answer: Promise<A>,
  ms: number,
  scheduler: SchedulerLike,
  late: () => B,
): Promise<A | B> {
  const timer = new Subscription();
  const passed = new Promise<void>(resolve => {
    timer.add(scheduler.schedule(() => resolve(), Math.max(0, ms)));
  });
  return Promise.race([answer, passed.then(late)]).finally(() => timer.unsubscribe());
}
