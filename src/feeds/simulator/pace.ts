import type { SchedulerLike } from 'rxjs';

/** Waits on the scheduler; ends at once, without an error, when the signal aborts. */
export function wait(delayMs: number, scheduler: SchedulerLike, signal: AbortSignal): Promise<void> {
  if (signal.aborted || delayMs <= 0) return Promise.resolve();
  return new Promise(resolve => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      timer.unsubscribe();
      resolve();
    };
    const timer = scheduler.schedule(done, delayMs);
    signal.addEventListener('abort', done);
  });
}
