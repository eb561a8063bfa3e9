import type { FeedItem } from '../feed.ts';

/** What can be asked of a venue: `ticker` gives single prices, `bars` closed candles of one minute. */
export type Channel = 'ticker' | 'trades' | 'book' | 'bars';

/** Every channel by name. */
export const channelNames: readonly Channel[] = ['ticker', 'trades', 'book', 'bars'];

export interface Subscription {
  /** `BASE-QUOTE`. */
  readonly symbols: readonly string[];
  readonly channels: readonly Channel[];
}

/** What a frame says that is no market data. */
export type Control =
  | { readonly kind: 'heartbeat' }
  /** The venue's answer to a subscription, or its status. */
  | { readonly kind: 'answer'; readonly text: string }
  /** The venue refused something; it is also among the items, as malformed input. */
  | { readonly kind: 'error'; readonly text: string }
  /** A book was lost: nothing of it is said until a new snapshot. `frames` ask for one. */
  | {
      readonly kind: 'resync';
      readonly symbol: string;
      readonly reason: string;
      readonly frames: readonly string[];
    }
  /** The book begins with a snapshot to be fetched from this address and given to `acceptRest`. */
  | { readonly kind: 'snapshot'; readonly symbol: string; readonly url: string };

/** What one frame came to. */
export interface Accepted {
  readonly items: readonly FeedItem[];
  readonly controls: readonly Control[];
}

/** Counts since the normaliser was made. */
export interface NormaliserStats {
  readonly frames: number;
  /** Updates of books whose checksum was compared and right. */
  readonly checksums: number;
  /** Updates that showed that others before them are missing, or whose checksum was wrong. */
  readonly gaps: number;
  /** Updates after which a book was crossed; such a book is not said. */
  readonly crossed: number;
  /** Trades seen before. */
  readonly duplicates: number;
}

/** How books are kept and said. */
export interface NormaliserOptions {
  /** Levels a side of the books that are said. Default 200. */
  readonly bookDepth?: number;
  /** Levels a side that are kept; past it the worst are dropped. Default 10,000. */
  readonly maxLevels?: number;
  /** Least event time between two books of a symbol, ms. Default 0: every change. */
  readonly bookEveryMs?: number;
}

/** Turns the frames of one connection into items. Pure: the time of receipt comes in. */
export interface Normaliser {
  /**
   * One frame as it was received.
   * @param receivedAt ms; the event time of frames that carry none
   * @param place where the frame came from, for the items that name it
   */
  accept(text: string, receivedAt: number, place: string): Accepted;
  /** The answer to a REST request; what is of no use here gives nothing. */
  acceptRest(url: string, text: string, receivedAt: number, place: string): Accepted;
  /** The connection was lost: books and channel numbers end, trade ids stay known. */
  reset(): void;
  readonly stats: NormaliserStats;
}

/** An application-level heartbeat that the venue wants from its clients. */
export interface Ping {
  readonly everyMs: number;
  readonly frame: string;
}

/** A venue and its protocol: subscribe frames out, frames in, items out. */
export interface Venue {
  /** The protocol's name, as in `ws:NAME`. */
  readonly name: string;
  /** The `venue` of its items; two protocols of one exchange share it. */
  readonly venue: string;
  /** Hosts whose recorded sessions are of this protocol. */
  readonly hosts: readonly string[];
  readonly channels: readonly Channel[];
  readonly ping?: Ping;
  url(subscription: Subscription): string;
  subscribeFrames(subscription: Subscription): readonly string[];
  createNormaliser(options?: NormaliserOptions): Normaliser;
}
