import type { SchedulerLike } from 'rxjs';
import type { Fault } from '../../src/bus/embedded/faults.ts';
import { FaultInjector } from '../../src/index.ts';

/** Faults of a broker that is slow for a while: what is sent then is stored later, all in its order. */
export class SlowBroker extends FaultInjector {
  #until = Number.NEGATIVE_INFINITY;
  #clock: SchedulerLike | undefined;

  slowFor(ms: number, clock: SchedulerLike): void {
    this.#clock = clock;
    this.#until = Math.max(this.#until, clock.now() + ms);
  }

  override next(): Fault | undefined {
    const left = this.#until - (this.#clock?.now() ?? 0);
    // At the very end of the slow time its messages are still to be stored: go behind them.
    return left >= 0 ? { kind: 'delay', delayMs: left } : super.next();
  }
}
