import type { Failure } from '../src/core/failure.ts';
import type { Settlement } from '../src/core/settlement.ts';
import { WatchedSettlement, visitWatched } from '../src/core/watched-settlement.ts';

/** Told what becomes of a delivery that is watched. */
export interface PassageWatcher {
  /** Before its source hears of it. */
  settling(passage: Passage, outcome: 'acked' | 'nacked'): void;
  /** After that: the source may have taken back others meanwhile. */
  settled(): void;
  takenBack(passage: Passage): void;
  /** Its message is stored for another attempt; it will be acked, for no success. */
  wentRound(passage: Passage, failure: Failure | undefined): void;
}

/** The duty of a delivery that went into the section while its circuit had reason to watch. */
export class Passage extends WatchedSettlement {
  readonly #watcher: PassageWatcher;
  /** The circuit's when it entered. */
  readonly round: number;
  #hasEnded = false;
  #signal: AbortSignal | undefined;
  readonly #takenBack = (): void => this.#watcher.takenBack(this);

  constructor(parent: Settlement, watcher: PassageWatcher, round: number) {
    super(parent);
    this.#watcher = watcher;
    this.round = round;
  }

  override ack(): void {
    super.ack();
    this.#watcher.settled();
  }

  override drop(by: string): void {
    super.drop(by);
    this.#watcher.settled();
  }

  override goesRound(failure: Failure | undefined): void {
    this.#watcher.wentRound(this, failure);
  }

  override nack(delayMs = 0): void {
    super.nack(delayMs);
    this.#watcher.settled();
  }

  belongsTo(watcher: PassageWatcher): boolean {
    return this.#watcher === watcher;
  }

  /** Has come out, or will not; true the first time. */
  end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.unwatch();
    return true;
  }

  /** Hears of being taken back, too; that costs an AbortController. */
  watch(): void {
    this.#signal = this.parent.signal;
    this.#signal.addEventListener('abort', this.#takenBack);
  }

  unwatch(): void {
    this.#signal?.removeEventListener('abort', this.#takenBack);
    this.#signal = undefined;
  }

  protected settling(outcome: 'acked' | 'nacked'): void {
    this.#watcher.settling(this, outcome);
  }
}

/** The watcher's passages that an output comes from: it may come from many deliveries, or be one of many. */
export function passagesOf(duty: Settlement, watcher: PassageWatcher): readonly Passage[] {
  const passages: Passage[] = [];
  visitWatched(duty, watched => {
    if (watched instanceof Passage && watched.belongsTo(watcher)) passages.push(watched);
  });
  return passages;
}
