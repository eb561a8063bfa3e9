import type { BookChecksum } from './book-checksums.ts';
import { BookState, type Level } from './order-book.ts';
import type { FrameSink } from './venues/frame-sink.ts';
import type { NormaliserOptions } from './venues/venue.ts';

/** A snapshot, or a change of some levels. */
export interface BookUpdate {
  readonly symbol: string;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Event time, ms; where the venue gives none, that of the frame. */
  readonly time?: number;
  readonly sequence?: number;
  /** What the venue's checksum must be once the update is applied. */
  readonly checksum?: { readonly expected: number; readonly of: BookChecksum };
  /** More updates follow before the book is whole again: it is kept, not said. */
  readonly partial?: boolean;
}

export interface BookKeeperOptions extends NormaliserOptions {
  /** The frames that ask the venue for a new snapshot. Default none. */
  readonly resyncFrames?: (symbol: string) => readonly string[];
  /** Updates in a row after which a book may be crossed, not said meanwhile, before it is lost. Default 0. */
  readonly crossedPatience?: number;
}

interface Kept {
  readonly state: BookState;
  live: boolean;
  crossedFor: number;
  time: number;
  saidAt: number;
}

/** The books of one connection: said while they are whole, silent from a gap to the next snapshot. */
export class BookKeeper {
  readonly #books = new Map<string, Kept>();
  readonly #options: BookKeeperOptions;

  constructor(options: BookKeeperOptions = {}) {
    this.#options = options;
  }

  /** Whether changes of this book can be applied. */
  live(symbol: string): boolean {
    return this.#books.get(symbol)?.live === true;
  }

  /** The whole book. @param maxLevels the depth of the subscription, where the venue keeps to one */
  snapshot(update: BookUpdate, out: FrameSink, maxLevels?: number): void {
    const state = new BookState({ maxLevels: maxLevels ?? this.#options.maxLevels ?? 10_000 });
    const time = this.#books.get(update.symbol)?.time ?? 0;
    const kept: Kept = { state, live: true, crossedFor: 0, time, saidAt: -Infinity };
    this.#books.set(update.symbol, kept);
    state.replace(update.bids, update.asks);
    this.#settle(kept, update, out);
  }

  /** A change; without a snapshot before it there is nothing to change, and nothing is said. */
  diff(update: BookUpdate, out: FrameSink): void {
    const kept = this.#books.get(update.symbol);
    if (kept?.live !== true) return;
    kept.state.apply(update.bids, update.asks);
    this.#settle(kept, update, out);
  }

  /** Compares the venue's checksum where it comes in a frame of its own. */
  verify(symbol: string, expected: number, of: BookChecksum, out: FrameSink): void {
    const kept = this.#books.get(symbol);
    if (kept?.live === true) this.#verified(kept, { symbol, checksum: { expected, of } }, out);
  }

  /** The book misses something: nothing of it is said until a new snapshot. */
  lose(symbol: string, reason: string, out: FrameSink): void {
    const kept = this.#books.get(symbol);
    if (kept !== undefined) kept.live = false;
    out.counts.gaps += 1;
    out.control({ kind: 'resync', symbol, reason, frames: this.#options.resyncFrames?.(symbol) ?? [] });
  }

  /** A gap in the numbers of the whole connection: every book may miss something. */
  loseAll(reason: string, out: FrameSink): void {
    for (const [symbol, kept] of this.#books) if (kept.live) this.lose(symbol, reason, out);
  }

  /** The connection ended. */
  reset(): void {
    for (const kept of this.#books.values()) kept.live = false;
  }

  #settle(kept: Kept, update: BookUpdate, out: FrameSink): void {
    if (!this.#verified(kept, update, out) || !this.#uncrossed(kept, update.symbol, out)) return;
    // Books of a symbol never go back in time, whatever mixture of clocks their frames carry.
    kept.time = Math.max(kept.time, update.time ?? out.timeless);
    if (update.partial === true || kept.time < kept.saidAt + (this.#options.bookEveryMs ?? 0)) return;
    kept.saidAt = kept.time;
    out.book({
      symbol: update.symbol,
      ...kept.state.top(this.#options.bookDepth ?? 200),
      ...(update.sequence === undefined ? {} : { sequence: update.sequence }),
      time: kept.time,
    });
  }

  #verified(kept: Kept, update: Pick<BookUpdate, 'symbol' | 'checksum'>, out: FrameSink): boolean {
    const { checksum, symbol } = update;
    if (checksum === undefined) return true;
    const found = checksum.of(kept.state);
    if (found !== checksum.expected) {
      this.lose(symbol, `checksum ${found}, the venue says ${checksum.expected}`, out);
      return false;
    }
    out.counts.checksums += 1;
    return true;
  }

  #uncrossed(kept: Kept, symbol: string, out: FrameSink): boolean {
    if (!kept.state.crossed) {
      kept.crossedFor = 0;
      return true;
    }
    kept.crossedFor += 1;
    out.counts.crossed += 1;
    if (kept.crossedFor > (this.#options.crossedPatience ?? 0)) {
      const [bid] = kept.state.bids;
      const [ask] = kept.state.asks;
      this.lose(symbol, `crossed: bid ${bid?.priceText ?? ''} is not below ask ${ask?.priceText ?? ''}`, out);
    }
    return false;
  }
}
