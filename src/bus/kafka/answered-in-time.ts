import type { SchedulerLike } from 'rxjs';

/** The answer, or the error once so many ms have passed without one; an answer that comes later is dropped. */
export function answeredInTime<A>(
  answer: Promise<A>,
  ms: number,
  scheduler: SchedulerLike,
  late: () => Error,
): Promise<A> {
  return new Promise((resolve, reject) => {
    const limit = scheduler.schedule(() => reject(late()), Math.max(0, ms));
    answer.then(resolve, reject).finally(() => limit.unsubscribe());
  });
}
