import type { MarketPrice, MarketTrade, OrderBook } from './market-data.ts';

/** One thing that a feed has to say. */
export type FeedItem =
  | { readonly kind: 'price'; readonly value: MarketPrice; readonly receivedAt?: number }
  | { readonly kind: 'trade'; readonly value: MarketTrade; readonly receivedAt?: number }
  | { readonly kind: 'book'; readonly value: OrderBook; readonly receivedAt?: number }
  /** Everything with an event time up to and including this one has been said. */
  | { readonly kind: 'time'; readonly time: number }
  /** Input that is no market data; it is dead-lettered with its reason, never dropped. */
  | { readonly kind: 'malformed'; readonly raw: Uint8Array; readonly reason: string; readonly place: string };

/** What a feed carries at all; a join never waits for what it does not. */
export interface FeedContents {
  /** `bars`: prices that sum up an interval; `ticks`: single prices. */
  readonly prices: 'bars' | 'ticks' | 'none';
  readonly trades: boolean;
  readonly books: boolean;
}

/** Items in order, with the position from which reading goes on behind them. */
export interface FeedBatch {
  readonly items: readonly FeedItem[];
  /** Opaque to everyone but the feed; JSON-safe text. */
  readonly position: string;
  /** How much of a finite feed has been read, 0 to 1. */
  readonly progress?: number;
  /** Whether it is of now, and not of a recording: told to readers as `source-tier`. Default false. */
  readonly isLive?: boolean;
}

/**
 * A source of market data, pulled: nothing is read ahead of the demand of who iterates.
 * Items come in order of event time as far as the source has that order.
 */
export interface Feed {
  /** Stable over restarts: the position is recorded under it. */
  readonly name: string;
  readonly contents: FeedContents;
  /**
   * Reads on from a position (null: from the start) until the feed ends or the signal aborts.
   * Rejects with a {@link FeedError} where the source cannot be read at all.
   */
  read(position: string | null, signal: AbortSignal): AsyncIterable<FeedBatch>;
}

/** A feed that cannot be opened or read; the message says which, where, and what to do. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly feed: string;

  constructor(feed: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.feed = feed;
  }
}
