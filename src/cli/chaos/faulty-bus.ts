import { setTimeout as wait } from 'node:timers/promises';
import type { FaultInjector } from '../../bus/embedded/faults.ts';
import { chance } from './chance.ts';

const quietMs = 1_500;
const awayMs = 100;

/** Takes the bus away for moments, and lets it refuse some messages, until the signal aborts. */
export async function disturb(faults: FaultInjector, seed: string, signal: AbortSignal): Promise<void> {
  for (let round = 0; ; round++) {
    await passed(quietMs * (0.5 + chance(seed, `quiet ${round}`)), signal);
    if (signal.aborted) return;
    if (round % 2 === 0)
      faults.failNextPublish('publish-timeout', 1 + Math.floor(5 * chance(seed, `${round}`)));
    else {
      faults.disconnect();
      await passed(awayMs, signal);
      faults.reconnect();
    }
  }
}

function passed(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal }).catch(() => undefined);
}
