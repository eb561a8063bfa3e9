import { type SchedulerLike, Subscription } from 'rxjs';

/** Something that is done again and again. */
export interface Ticker {
  /** Does it once more now, after what runs. */
  readonly tick: () => Promise<void>;
  /** No more from now on; waits for what runs. */
  readonly stop: () => Promise<void>;
}

/**
 * Does something every so many ms, never twice at once: where it takes longer than the interval, the next time
 * waits. What it throws is told and does not end it.
 */
export function every(
  intervalMs: number,
  scheduler: SchedulerLike,
  task: () => unknown,
  failed: (error: unknown) => void,
): Ticker {
  const timer = new Subscription();
  let running: Promise<void> = Promise.resolve();
  const tick = (): Promise<void> => {
    running = running.then(task).then(() => undefined, failed);
    return running;
  };
  const arm = (): void => {
    const next = (): void => {
      void tick().then(() => {
        if (!timer.closed) arm();
      });
    };
    timer.add(scheduler.schedule(next, intervalMs));
  };
  arm();
  return {
    tick,
    stop: () => {
      timer.unsubscribe();
      return running;
    },
  };
}
