import { type SchedulerLike, Subscription } from 'rxjs';

/** Settles after so many ms by the scheduler's clock, or as soon as the signal aborts. */
export function pause(ms: number, scheduler: SchedulerLike, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted || ms <= 0) {
      resolve();
      return;
    }
    const timer = new Subscription();
    const done = (): void => {
      timer.unsubscribe();
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    timer.add(scheduler.schedule(done, ms));
  });
}
