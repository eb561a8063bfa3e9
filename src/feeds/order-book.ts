/** One price level; the texts are the venue's own digits, which its checksums are made of. */
export interface Level {
  readonly price: number;
  readonly size: number;
  readonly priceText: string;
  readonly sizeText: string;
}

/** A level as `[price, size]`. */
export type PriceAndSize = readonly [price: number, size: number];

const digits = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;

/**
 * A level from the venue's own price and size, text or number; size 0 removes it.
 * Undefined where the price is not above zero, the size is below it, or one of them is no number.
 */
export function levelOf(price: unknown, size: unknown): Level | undefined {
  const priceText = digits(price);
  const sizeText = digits(size);
  if (priceText === undefined || sizeText === undefined || priceText === '' || sizeText === '')
    return undefined;
  const level = { price: Number(priceText), size: Number(sizeText), priceText, sizeText };
  const sound =
    Number.isFinite(level.price) && level.price > 0 && Number.isFinite(level.size) && level.size >= 0;
  return sound ? level : undefined;
}

/** Levels from rows that begin with price and size; undefined where one of them is no level. */
export function levelsOf(rows: unknown): readonly Level[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  const levels: Level[] = [];
  const list: readonly unknown[] = rows;
  for (const row of list) {
    const level = Array.isArray(row) ? levelOf(row[0], row[1]) : undefined;
    if (level === undefined) return undefined;
    levels.push(level);
  }
  return levels;
}

/** Where a price stands, or would stand, on a side that is sorted by `sign * price`. */
function search(side: readonly Level[], price: number, sign: 1 | -1): number {
  let low = 0;
  let high = side.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sign * (side[middle]?.price ?? 0) < sign * price) low = middle + 1;
    else high = middle;
  }
  return low;
}

function put(side: Level[], level: Level, sign: 1 | -1): void {
  const at = search(side, level.price, sign);
  const known = side[at]?.price === level.price;
  if (level.size === 0) {
    if (known) side.splice(at, 1);
  } else side.splice(at, known ? 1 : 0, level);
}

function sorted(levels: readonly Level[], sign: 1 | -1): Level[] {
  const side: Level[] = [];
  // Venues send snapshots in order, so this appends; it is right for those that do not, too.
  for (const level of levels) put(side, level, sign);
  return side;
}

/** How a book is kept. */
export interface BookLimits {
  /** Levels kept a side; past it the worst are dropped. */
  readonly maxLevels: number;
}

/** One book, from a snapshot and the changes after it. Both sides best first, size 0 never stored. */
export class BookState {
  #bids: Level[] = [];
  #asks: Level[] = [];
  readonly #maxLevels: number;

  constructor(limits: BookLimits) {
    this.#maxLevels = limits.maxLevels;
  }

  get bids(): readonly Level[] {
    return this.#bids;
  }

  get asks(): readonly Level[] {
    return this.#asks;
  }

  /** Begins anew from a whole book. */
  replace(bids: readonly Level[], asks: readonly Level[]): void {
    this.#bids = sorted(bids, -1);
    this.#asks = sorted(asks, 1);
    this.#cut();
  }

  /** Sets the sizes of some levels; size 0 removes a level, also one that is not there. */
  apply(bids: readonly Level[], asks: readonly Level[]): void {
    for (const level of bids) put(this.#bids, level, -1);
    for (const level of asks) put(this.#asks, level, 1);
    this.#cut();
  }

  /** Whether the best bid is at or above the best ask, which no market is. */
  get crossed(): boolean {
    const [bid] = this.bids;
    const [ask] = this.asks;
    return bid !== undefined && ask !== undefined && bid.price >= ask.price;
  }

  /** The best levels of both sides as numbers. */
  top(depth: number): { readonly bids: readonly PriceAndSize[]; readonly asks: readonly PriceAndSize[] } {
    const pick = (side: readonly Level[]): readonly PriceAndSize[] =>
      side.slice(0, depth).map(({ price, size }) => [price, size] as const);
    return { bids: pick(this.bids), asks: pick(this.asks) };
  }

  #cut(): void {
    if (this.#bids.length > this.#maxLevels) this.#bids.length = this.#maxLevels;
    if (this.#asks.length > this.#maxLevels) this.#asks.length = this.#maxLevels;
  }
}
