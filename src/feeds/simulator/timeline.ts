import type { FeedItem } from '../feed.ts';
import { spoil } from './defects.ts';
import type { MarketMinute, SymbolMinute } from './market.ts';
import { mix, randomFrom, type Random } from './random.ts';
import { barItem, bookItem, tradeItem } from './quotes.ts';

const TRADES = 0x7ade5;
/** Books of a minute are spread over this stretch before its end, so that bars come after them. */
const BOOK_SPAN_MS = 900;
/** Live, each symbol shows its book once in so many seconds. */
const BOOK_EVERY_S = 5;

const tradesPerMinute = (state: SymbolMinute): number =>
  Math.min(4, 0.25 * (state.effects.volume > 1.2 ? state.effects.volume : 1));

/** Whole trades for an expected number, the fraction by chance. */
const drawn = (expected: number, random: Random): number => Math.floor(expected + random());

const heard = (state: SymbolMinute): boolean => !state.effects.halted;
const traded = (state: SymbolMinute): boolean => heard(state) && state.volume > 0;
const baseOf = (state: SymbolMinute): string => state.profile.symbol.split('-')[0] ?? '';

function timeOf(item: FeedItem): number {
  if (item.kind === 'time') return item.time;
  return item.kind === 'malformed' ? 0 : item.value.time;
}

/** Everything said in a minute of the history that begins at `begin`, its marker last. */
export function minuteItems(seed: number, begin: number, market: MarketMinute): FeedItem[] {
  const { minute, symbols } = market;
  const end = begin + 60_000;
  const items: FeedItem[] = [];
  symbols.forEach((state, index) => {
    if (!heard(state)) return;
    const random = randomFrom(mix(seed, minute, index, TRADES));
    const count = traded(state) ? drawn(tradesPerMinute(state), random) : 0;
    for (let n = 0; n < count; n++) {
      const time = begin + 1 + Math.floor(random() * 58_000);
      const tradeId = `${baseOf(state)}-${minute}-${n}`;
      items.push(tradeItem(state, { time, share: (time - begin) / 60_000, tradeId }, random));
    }
    const time = end - 1 - Math.floor(random() * BOOK_SPAN_MS);
    items.push(bookItem(state, { time, share: 1, sequence: minute * 60 + 60 }, random));
  });
  items.sort((a, b) => timeOf(a) - timeOf(b));
  items.push(...barsOf(symbols, end));
  return [...spoil(seed, minute, items), { kind: 'time', time: end }];
}

/** Everything said in one second (0 to 59) of a live minute that begins at `begin`. */
export function secondItems(seed: number, begin: number, market: MarketMinute, second: number): FeedItem[] {
  const { minute, symbols } = market;
  const from = begin + second * 1000;
  const items: FeedItem[] = [];
  symbols.forEach((state, index) => {
    if (!heard(state)) return;
    const random = randomFrom(mix(seed, minute * 60 + second, index, TRADES));
    const count = traded(state) ? drawn(tradesPerMinute(state) / 4, random) : 0;
    for (let n = 0; n < count; n++) {
      const time = from + 1 + Math.floor(random() * 998);
      const tradeId = `${baseOf(state)}-${minute}-${second}-${n}`;
      items.push(tradeItem(state, { time, share: (time - begin) / 60_000, tradeId }, random));
    }
    if (second !== 59 && (second + index) % BOOK_EVERY_S !== 0) return;
    const time = from + 999 - Math.floor(random() * BOOK_SPAN_MS);
    const share = second === 59 ? 1 : (time - begin) / 60_000;
    items.push(bookItem(state, { time, share, sequence: minute * 60 + second + 1 }, random));
  });
  items.sort((a, b) => timeOf(a) - timeOf(b));
  const whole = second === 59 ? spoil(seed, minute, [...items, ...barsOf(symbols, from + 1000)]) : items;
  return [...whole, { kind: 'time', time: from + 1000 }];
}

function barsOf(symbols: readonly SymbolMinute[], end: number): FeedItem[] {
  return symbols.filter(traded).map(state => barItem(state, end));
}
