import * as t from 'io-ts';
import type { MarketPrice, MarketTrade } from '../src/index.ts';
import type { ClosedBy, MarketBar } from './market-bar.ts';

/** What one event adds to a bar. */
export interface BarUpdate {
  readonly price: number;
  /** Event time, ms. */
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  /** In units of the base currency. */
  readonly volume: number;
}

/** A bar that is still open; JSON-safe. Extremes and borders do not depend on the order of arrival. */
export interface BarAggregate {
  open: number;
  openTime: number;
  openOffset: number;
  high: number;
  low: number;
  close: number;
  closeTime: number;
  closeOffset: number;
  volume: number;
}

export const BarAggregate: t.Type<BarAggregate> = t.type({
  open: t.number,
  openTime: t.number,
  openOffset: t.number,
  high: t.number,
  low: t.number,
  close: t.number,
  closeTime: t.number,
  closeOffset: t.number,
  volume: t.number,
});

/**
 * What a price adds: where it sums up an interval (`intervalMs` set) its open, high, low and volume, else
 * the price alone; a volume on a single price may be of any span and is not counted.
 */
export function updateOfPrice(price: MarketPrice): BarUpdate {
  const summary: Partial<MarketPrice> = price.intervalMs === undefined ? {} : price;
  const open = summary.open ?? price.price;
  return {
    price: price.price,
    time: price.time,
    open,
    high: Math.max(summary.high ?? price.price, price.price, open),
    low: Math.min(summary.low ?? price.price, price.price, open),
    volume: summary.volume ?? 0,
  };
}

/** What a trade adds: its price, and its size as volume. */
export function updateOfTrade(trade: MarketTrade): BarUpdate {
  const { price, time, size } = trade;
  return { price, time, open: price, high: price, low: price, volume: size };
}

/** The aggregate of a first update; `offset` is the update's place in its partition. */
export function openBar(update: BarUpdate, offset: number): BarAggregate {
  return {
    open: update.open,
    openTime: update.time,
    openOffset: offset,
    high: update.high,
    low: update.low,
    close: update.price,
    closeTime: update.time,
    closeOffset: offset,
    volume: update.volume,
  };
}

function isBefore(time: number, offset: number, otherTime: number, otherOffset: number): boolean {
  return time < otherTime || (time === otherTime && offset < otherOffset);
}

/** Adds an update of the same window, in place: the least (time, offset) opens, the greatest closes. */
export function addToBar(bar: BarAggregate, update: BarUpdate, offset: number): void {
  if (isBefore(update.time, offset, bar.openTime, bar.openOffset)) {
    bar.open = update.open;
    bar.openTime = update.time;
    bar.openOffset = offset;
  }
  if (isBefore(bar.closeTime, bar.closeOffset, update.time, offset)) {
    bar.close = update.price;
    bar.closeTime = update.time;
    bar.closeOffset = offset;
  }
  bar.high = Math.max(bar.high, update.high);
  bar.low = Math.min(bar.low, update.low);
  bar.volume += update.volume;
}

/** The closed bar of a window, with the event that closed it. */
export function closeBar(
  bar: BarAggregate,
  window: Pick<MarketBar, 'venue' | 'symbol' | 'intervalMs' | 'end'>,
  closedBy: ClosedBy,
): MarketBar {
  const { venue, symbol, intervalMs, end } = window;
  const { open, high, low, close, volume } = bar;
  return { venue, symbol, intervalMs, end, open, high, low, close, volume, closedBy };
}
