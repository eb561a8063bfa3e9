import type { FeedItem } from '../feed.ts';
import type { MarketPrice, MarketTrade, OrderBook } from '../market-data.ts';
import { isEventTime } from '../event-time.ts';
import type { Control } from './venue.ts';

/** Trade keys remembered a symbol; more than any venue repeats after a reconnect. */
const rememberedTrades = 2_000;

interface KnownTrades {
  readonly keys: Set<string>;
  newest: number;
}

/** What a handler of frames says, and what has to be known from one frame to the next. */
export class FrameSink {
  readonly venue: string;
  readonly counts: { frames: number; checksums: number; gaps: number; crossed: number; duplicates: number } =
    {
      frames: 0,
      checksums: 0,
      gaps: 0,
      crossed: 0,
      duplicates: 0,
    };
  items: FeedItem[] = [];
  controls: Control[] = [];
  receivedAt = 0;
  #raw = '';
  #place = '';
  #venueTime = 0;
  #fresh: (readonly [KnownTrades, string])[] = [];
  readonly #trades = new Map<string, KnownTrades>();

  constructor(venue: string) {
    this.venue = venue;
  }

  /** Begins a frame. */
  open(raw: string, receivedAt: number, place: string): void {
    this.counts.frames += 1;
    this.items = [];
    this.controls = [];
    this.receivedAt = receivedAt;
    this.#raw = raw;
    this.#place = place;
  }

  /** Ends a frame: only now are its trades known, as two equal ones of one frame are two. */
  close(): void {
    for (const [known, key] of this.#fresh) remember(known.keys, key);
    this.#fresh = [];
  }

  /**
   * The event time of a frame that carries none: the time of receipt, but never before what the
   * venue has said already, as a recorder's clock may run behind the venue's.
   */
  get timeless(): number {
    return Math.max(this.#venueTime, this.receivedAt);
  }

  price(value: Omit<MarketPrice, 'venue'>): void {
    if (!this.#saw(value.time)) return;
    this.items.push({
      kind: 'price',
      value: { venue: this.venue, ...value },
      receivedAt: this.receivedAt,
    });
  }

  /** @param key what the trade is known by where it has no id */
  trade(value: Omit<MarketTrade, 'venue'>, key: string = value.tradeId ?? ''): void {
    const known = this.#known(value.symbol);
    if (known.keys.has(key)) {
      this.counts.duplicates += 1;
      return;
    }
    if (!this.#saw(value.time)) return;
    this.#fresh.push([known, key]);
    known.newest = Math.max(known.newest, value.time);
    this.items.push({
      kind: 'trade',
      value: { venue: this.venue, ...value },
      receivedAt: this.receivedAt,
    });
  }

  /** A trade from before the subscription: news only where it fills the gap that a reconnect left. */
  history(value: Omit<MarketTrade, 'venue'>, key: string = value.tradeId ?? ''): void {
    const known = this.#known(value.symbol);
    if (known.newest > 0 && value.time >= known.newest) this.trade(value, key);
    else remember(known.keys, key);
  }

  book(value: Omit<OrderBook, 'venue'>): void {
    if (!this.#saw(value.time)) return;
    this.items.push({ kind: 'book', value: { venue: this.venue, ...value }, receivedAt: this.receivedAt });
  }

  malformed(reason: string): void {
    this.items.push({
      kind: 'malformed',
      raw: new TextEncoder().encode(this.#raw),
      reason: `${this.venue}: ${reason}`,
      place: this.#place,
    });
  }

  heartbeat(): void {
    this.controls.push({ kind: 'heartbeat' });
  }

  answer(text: string): void {
    this.controls.push({ kind: 'answer', text });
  }

  error(text: string): void {
    this.controls.push({ kind: 'error', text });
    this.malformed(`the venue answered with an error: ${text}`);
  }

  control(control: Control): void {
    this.controls.push(control);
  }

  /** False, and the item becomes malformed input, where the time is none. */
  #saw(time: number): boolean {
    if (!isEventTime(time)) {
      this.malformed(`the time ${time} is no time in milliseconds`);
      return false;
    }
    if (time > this.#venueTime) this.#venueTime = time;
    return true;
  }

  #known(symbol: string): KnownTrades {
    const known = this.#trades.get(symbol) ?? { keys: new Set(), newest: 0 };
    this.#trades.set(symbol, known);
    return known;
  }
}

function remember(keys: Set<string>, key: string): void {
  if (key === '') return;
  keys.add(key);
  if (keys.size <= rememberedTrades) return;
  for (const oldest of keys) {
    keys.delete(oldest);
    return;
  }
}
