import type { SchedulerLike, Subscription } from 'rxjs';
import { Backoff } from '../src/core/backoff.ts';
import type { Failure } from '../src/core/failure.ts';
import { ErrorWindow } from './error-window.ts';

/** All goes in; a little goes in, to see whether it is well again; nothing goes in. */
export type CircuitState = 'closed' | 'half-open' | 'open';

/** A circuit has opened, tries again, or has closed. */
export interface CircuitChange {
  /** The name of the circuit breaker. */
  readonly stage: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** In words, for people. */
  readonly reason: string;
  /** When, ms, by the scheduler's clock. */
  readonly at: number;
}

/** Opens on a share of failures over a sliding time. */
export interface ErrorShare {
  /** Counted failures among what comes out of the section, from 0.001 to 1. */
  readonly share: number;
  /** How far back it looks, to a tenth of it, ms. */
  readonly windowMs: number;
  /** Outcomes in that time below which it says nothing. */
  readonly minimum: number;
}

export interface CircuitLimits {
  readonly failures: number;
  readonly errorShare?: ErrorShare | undefined;
  readonly coolDownMs: number;
  readonly maxCoolDownMs: number;
  readonly demand: number;
  readonly successes: number;
}

/** How many may be in the section at once, and how many successes in a row lead on. */
interface Step {
  readonly limit: number;
  readonly successes: number;
}

/** Told what the circuit does. */
export type CircuitListener = (from: CircuitState, to: CircuitState, reason: string) => void;

/** The states of a circuit: what opens it, and how it gets back to closed. */
export class Circuit {
  readonly #limits: CircuitLimits;
  readonly #scheduler: SchedulerLike;
  readonly #changed: CircuitListener;
  readonly #steps: readonly Step[];
  readonly #backoff: Backoff;
  readonly #window: ErrorWindow | undefined;
  #state: CircuitState = 'closed';
  /** Failures in a row while closed. */
  #failures = 0;
  #step = 0;
  /** Successes in a row at this step. */
  #successes = 0;
  /** Since it was last closed. */
  #openings = 0;
  #coolDown: Subscription | undefined;
  /** Closed, and no failure in a row to reset: what goes in need not be watched. */
  calm = true;
  /** How many may be in the section at once. */
  limit: number = Number.POSITIVE_INFINITY;
  /** Goes up when what entered before can tell nothing more. */
  round = 0;

  constructor(
    name: string,
    limits: CircuitLimits,
    { scheduler, changed }: { readonly scheduler: SchedulerLike; readonly changed: CircuitListener },
  ) {
    const { coolDownMs, maxCoolDownMs, errorShare } = limits;
    this.#limits = limits;
    this.#scheduler = scheduler;
    this.#changed = changed;
    this.#steps = stepsOf(limits);
    const delays = { firstDelayMs: coolDownMs, maxDelayMs: maxCoolDownMs, jitter: 'none' } as const;
    this.#backoff = new Backoff(name, delays);
    this.#window = errorShare && new ErrorWindow(errorShare.windowMs);
  }

  get state(): CircuitState {
    return this.#state;
  }

  succeeded(): void {
    if (this.#state === 'closed') this.#succeededClosed();
    else if (this.#state === 'half-open') this.#succeededHalfOpen();
  }

  /** A failure that counts. */
  failed(failure: Failure): void {
    if (this.#state === 'closed') this.#failedClosed(failure);
    else if (this.#state === 'half-open') this.#open(`failed while half-open: ${failure.reason}`);
  }

  stop(): void {
    this.#coolDown?.unsubscribe();
  }

  #succeededClosed(): void {
    this.#window?.add(false, this.#scheduler.now());
    if (this.calm) return;
    this.#failures = 0;
    this.calm = true;
    this.round++;
  }

  #succeededHalfOpen(): void {
    const { successes = 1 } = this.#steps[this.#step] ?? {};
    if (++this.#successes < successes) return;
    this.#successes = 0;
    const next = this.#steps[++this.#step];
    if (next) this.limit = next.limit;
    else this.#close();
  }

  #failedClosed({ reason }: Failure): void {
    const now = this.#scheduler.now();
    this.calm = false;
    this.#failures++;
    this.#window?.add(true, now);
    if (this.#failures >= this.#limits.failures) {
      this.#open(`${this.#failures} failed in a row, the last: ${reason}`);
    } else if (this.#isShareReached(now)) {
      this.#open(`too many failed of late, the last: ${reason}`);
    }
  }

  #isShareReached(now: number): boolean {
    const { errorShare } = this.#limits;
    if (errorShare === undefined || this.#window === undefined) return false;
    const { failed, outcomes } = this.#window.read(now);
    return outcomes >= errorShare.minimum && failed >= outcomes * errorShare.share;
  }

  #open(reason: string): void {
    const delayMs = this.#backoff.delayMs(++this.#openings);
    this.#coolDown = this.#scheduler.schedule(() => this.#halfOpen(delayMs), delayMs);
    this.#become('open', 0, reason);
  }

  #halfOpen(delayMs: number): void {
    this.#step = 0;
    this.#successes = 0;
    this.#become('half-open', 1, `cooled down for ${delayMs} ms`);
  }

  #close(): void {
    this.#openings = 0;
    this.#failures = 0;
    this.#window?.clear();
    this.#become('closed', Number.POSITIVE_INFINITY, 'succeeded at full load');
  }

  #become(to: CircuitState, limit: number, reason: string): void {
    const from = this.#state;
    this.#state = to;
    this.limit = limit;
    this.calm = to === 'closed';
    this.round++;
    this.#changed(from, to, reason);
  }
}

/** One alone, then a tenth of the demand, a half, all of it. */
function stepsOf({ demand, successes }: CircuitLimits): readonly Step[] {
  const shares = [0.1, 0.5, 1].map(share => ({ limit: Math.ceil(demand * share), successes }));
  return [{ limit: 1, successes: 1 }, ...shares];
}
