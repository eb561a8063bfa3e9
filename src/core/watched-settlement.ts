import type { Failure } from './failure.ts';
import { SettledTwiceError, type Settlement } from './settlement.ts';

/**
 * The duty of a delivery on its way through a part of the chain whose operator has to know what becomes of it.
 * Stands before the source's own duty, or before another watched one.
 */
export abstract class WatchedSettlement implements Settlement {
  readonly parent: Settlement;
  #takenOver: AbortController | undefined;
  #signal: AbortSignal | undefined;
  #settled = false;

  constructor(parent: Settlement) {
    this.parent = parent;
  }

  /** Its holder is about to settle it; the source hears of that afterwards. */
  protected abstract settling(outcome: 'acked' | 'nacked'): void;

  /** Is on its way to a topic for another attempt: whatever happens from now on, it may come back from there. */
  departs?(): void;

  /** About to be acked only because its message is stored for another attempt; undefined: without one till now. */
  goesRound?(failure: Failure | undefined): void;

  get attempt(): number {
    return this.parent.attempt;
  }

  get revoked(): boolean {
    return this.#takenOver?.signal.aborted === true || this.parent.revoked;
  }

  get signal(): AbortSignal {
    this.#takenOver ??= new AbortController();
    this.#signal ??= AbortSignal.any([this.parent.signal, this.#takenOver.signal]);
    return this.#signal;
  }

  get behind(): readonly Settlement[] {
    return [this.parent];
  }

  /** Takes the duty from its holder, for whom it is revoked from now on; the caller settles the parent. */
  takeOver(): Settlement {
    this.#takenOver ??= new AbortController();
    this.#takenOver.abort();
    return this.parent;
  }

  ack(): void {
    if (!this.#begin('acked')) return;
    this.parent.ack();
  }

  drop(by: string): void {
    if (!this.#begin('acked')) return;
    this.parent.drop(by);
  }

  nack(delayMs = 0): void {
    if (!this.#begin('nacked')) return;
    this.parent.nack(delayMs);
  }

  /** Whether the source has to be told. */
  #begin(outcome: 'acked' | 'nacked'): boolean {
    if (this.#settled) throw new SettledTwiceError('a delivery');
    this.#settled = true;
    if (this.#takenOver?.signal.aborted === true) return false;
    this.settling(outcome);
    return true;
  }
}

/** Visits the watched duties that a delivery's duty stands for, whether alone, as a share, or among others. */
export function visitWatched(duty: Settlement, visit: (watched: WatchedSettlement) => void): void {
  if (duty instanceof WatchedSettlement) {
    visit(duty);
    visitWatched(duty.parent, visit);
  } else if (duty.behind !== undefined) {
    for (const one of duty.behind) visitWatched(one, visit);
  }
}
