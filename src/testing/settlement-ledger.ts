import { SettledTwiceError, type Settlement } from '../core/settlement.ts';

/** What became of one delivery, and when. */
export type Outcome = 'in flight' | 'acked' | 'nacked' | 'taken back';

/** One delivery's line in the ledger. */
export interface LedgerEntry {
  /** What a test calls it: its marble, or its place. */
  readonly name: string;
  readonly outcome: Outcome;
  /** Virtual time at which it was settled, ms. */
  readonly settledAt: number | undefined;
  readonly nackDelayMs: number | undefined;
}

/**
 * Hands out duties and writes down what is done with them. A second settlement throws, as a real source does,
 * and is remembered in case somebody swallows that.
 */
export class SettlementLedger {
  readonly #now: () => number;
  readonly #duties: LedgerDuty[] = [];
  readonly #settled: LedgerDuty[] = [];
  readonly #twice: string[] = [];

  /** @param now the virtual clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The duty of one more delivery. */
  open(name: string, attempt = 1): Settlement & LedgerEntry & { takeBack(): void } {
    const duty = new LedgerDuty(name, attempt, this.#now, (duty, again) => {
      if (again) this.#twice.push(name);
      else this.#settled.push(duty);
    });
    this.#duties.push(duty);
    return duty;
  }

  /** Takes back every delivery of this name that is in flight, as a source does whose partition is revoked. */
  takeBack(name: string): void {
    for (const duty of this.#duties) if (duty.name === name) duty.takeBack();
  }

  /** Every delivery, in the order in which they were made. */
  get entries(): readonly LedgerEntry[] {
    return this.#duties;
  }

  /** Those that were acked or nacked, in the order in which that happened. */
  get settled(): readonly LedgerEntry[] {
    return this.#settled;
  }

  /** The names of those that were settled a second time. */
  get settledTwice(): readonly string[] {
    return this.#twice;
  }

  /** How many deliveries have come to this. */
  count(outcome: Outcome): number {
    return this.#duties.filter(duty => duty.outcome === outcome).length;
  }

  /** The names of those that nobody has settled. */
  get inFlight(): readonly string[] {
    return this.#duties.filter(duty => duty.outcome === 'in flight').map(({ name }) => name);
  }
}

class LedgerDuty implements Settlement, LedgerEntry {
  readonly name: string;
  readonly attempt: number;
  readonly #now: () => number;
  readonly #told: (duty: LedgerDuty, again: boolean) => void;
  readonly #abort = new AbortController();
  #calls = 0;
  outcome: Outcome = 'in flight';
  settledAt: number | undefined;
  nackDelayMs: number | undefined;

  constructor(
    name: string,
    attempt: number,
    now: () => number,
    told: (duty: LedgerDuty, again: boolean) => void,
  ) {
    this.name = name;
    this.attempt = attempt;
    this.#now = now;
    this.#told = told;
  }

  get revoked(): boolean {
    return this.outcome === 'taken back';
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  ack(): void {
    this.#settle('acked', undefined);
  }

  drop(): void {
    this.#settle('acked', undefined);
  }

  nack(delayMs = 0): void {
    this.#settle('nacked', delayMs);
  }

  /** What a source does with what is still in flight when it is unsubscribed from. */
  takeBack(): void {
    if (this.outcome !== 'in flight') return;
    this.outcome = 'taken back';
    this.#abort.abort();
  }

  #settle(outcome: Outcome, delayMs: number | undefined): void {
    if (this.#calls++ > 0) {
      this.#told(this, true);
      throw new SettledTwiceError(`delivery ${this.name}`);
    }
    if (this.revoked) return;
    this.outcome = outcome;
    this.settledAt = this.#now();
    this.nackDelayMs = delayMs;
    this.#told(this, false);
  }
}
