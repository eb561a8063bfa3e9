import { VirtualAction, VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import { describe, it } from 'vitest';
import type { EventBus } from '../../src/bus/event-bus.ts';
import {
  type ConformanceBusOptions,
  type ConformanceExtra,
  busConformance,
  skipReason,
} from '../../src/testing/conformance.ts';

/** Makes the bus of one run; every bus of a run is at the same place. */
export type MakeBus = (options: ConformanceBusOptions & { readonly scheduler: SchedulerLike }) => EventBus;

const extras: readonly ConformanceExtra[] = ['bounded-partitions', 'fault-injection', 'retention-on-demand'];

/** Lets promises go on that wait for nothing but each other. */
const promisesRun = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Runs every case in virtual time. @param prepare called once a run */
export function runConformance(kind: string, prepare: () => MakeBus): void {
  describe(`the ${kind} bus`, () => {
    for (const conformance of busConformance) {
      it(conformance.name, async context => {
        const makeBus = prepare();
        const scheduler = new VirtualTimeScheduler(VirtualAction, 0);
        const reason = skipReason(conformance, makeBus({ scheduler }).capabilities, extras);
        if (reason !== undefined) return context.skip(reason);
        await conformance.run({
          createBus: options => makeBus({ ...options, scheduler }),
          passTime: async ms => {
            await promisesRun();
            scheduler.maxFrames = scheduler.frame + ms;
            // The clock stands where the last action left it; this one takes it to the end.
            scheduler.schedule(() => undefined, ms);
            scheduler.flush();
            await promisesRun();
          },
        });
      });
    }
  });
}
