import { setTimeout as wait } from 'node:timers/promises';
import type { Runtime } from '../runtime/runtime.ts';

const deadlineMs = 60_000;
const stepMs = 20;

/** Waits until everything that was fed has gone through every pipeline, a minute at most. */
export async function untilIdle(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const until = performance.now() + deadlineMs;
  while (!signal.aborted && performance.now() < until) {
    const statuses = await runtime.status();
    if (statuses.every(({ lag, inFlight }) => lag === 0 && inFlight === 0)) return;
    await wait(stepMs);
  }
}
