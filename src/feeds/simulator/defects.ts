import type { FeedItem } from '../feed.ts';
import { mix, randomFrom, type Random } from './random.ts';

const DEFECTS = 0xdefec7;
const encoder = new TextEncoder();

/** The chance of each defect in one minute. */
const CHANCES = {
  zeroPrice: 1 / 900,
  negativePrice: 1 / 900,
  crossedBar: 1 / 900,
  malformed: 1 / 2000,
  repeated: 1 / 150,
  outOfOrder: 1 / 60,
} as const;

type Spoil = (items: FeedItem[], random: Random, place: string) => void;

const SPOILS: Readonly<Record<keyof typeof CHANCES, Spoil>> = {
  zeroPrice: (items, random) => badPrice(items, random, { price: 0 }),
  negativePrice: (items, random) => badPrice(items, random, { price: -1 }),
  crossedBar: (items, random) => badPrice(items, random, 'crossed'),
  malformed: (items, random, place) => {
    const raw = encoder.encode('{"type":"trade","symbol":"BTC-US');
    const reason = 'not JSON: the text ends inside a string';
    items.splice(Math.floor(random() * items.length), 0, { kind: 'malformed', raw, reason, place });
  },
  repeated: (items, random) => {
    const at = Math.floor(random() * items.length);
    const item = items[at];
    if (item !== undefined) items.splice(at + 1, 0, item);
  },
  outOfOrder: (items, random) => {
    const books = items.flatMap(({ kind }, index) => (kind === 'book' ? [index] : []));
    const at = books[Math.floor(random() * books.length)];
    if (at !== undefined) items.push(...items.splice(at, 1));
  },
};

/** Puts a bar that cannot be before the true one, which must still be used. */
function badPrice(items: FeedItem[], random: Random, bad: { price: number } | 'crossed'): void {
  const bars = items.flatMap((item, index) => (item.kind === 'price' ? [{ item, index }] : []));
  const chosen = bars[Math.floor(random() * bars.length)];
  if (chosen === undefined) return;
  const { value } = chosen.item;
  const { price } = value;
  const change = bad === 'crossed' ? { high: price * 0.99, low: price * 1.01 } : bad;
  items.splice(chosen.index, 0, { kind: 'price', value: { ...value, ...change } });
}

/**
 * Spoils the items that end a minute the way exchanges do: bars that cannot be, cut frames,
 * repetitions, and books that arrive behind the bars of a later time (by less than 2 s).
 * Nothing true is lost by it.
 */
export function spoil(seed: number, minute: number, items: FeedItem[]): FeedItem[] {
  if (items.length === 0) return items;
  const random = randomFrom(mix(seed, minute, DEFECTS));
  for (const name of [
    'outOfOrder',
    'repeated',
    'zeroPrice',
    'negativePrice',
    'crossedBar',
    'malformed',
  ] as const) {
    if (random() < CHANCES[name]) SPOILS[name](items, random, `minute ${minute}`);
  }
  return items;
}
