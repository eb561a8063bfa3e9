import type { VirtualTimeScheduler } from 'rxjs';

/** Lets time go by up to a moment, ms, with the promises behind each action. */
export async function runUntil(scheduler: VirtualTimeScheduler, time: number): Promise<void> {
  for (;;) {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    const next = Math.min(...scheduler.actions.map(({ delay }) => delay));
    if (next > time) break;
    scheduler.maxFrames = next;
    scheduler.flush();
  }
}
