import type { VirtualTimeScheduler } from 'rxjs';

/** How many turns promises get that wait for each other. */
const turns = 30;

/** Lets so many ms of virtual time go by, a step at a time, and after each of them every promise settle. */
export async function passTime(time: VirtualTimeScheduler, ms: number, stepMs: number): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    const step = Math.min(stepMs, left);
    time.maxFrames = time.now() + step;
    time.schedule(() => undefined, step);
    time.flush();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  }
}
