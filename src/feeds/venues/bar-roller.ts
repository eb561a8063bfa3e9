import type { MarketPrice } from '../market-data.ts';

/** A bar without its venue. */
export type VenueBar = Omit<MarketPrice, 'venue'>;

/** Holds the open bar of each symbol, for venues that do not say which update of a bar is its last. */
export class BarRoller {
  readonly #open = new Map<string, VenueBar>();

  /** The bar that this one closes: the last update of the interval before it, if there was one. */
  roll(bar: VenueBar): VenueBar | undefined {
    const open = this.#open.get(bar.symbol);
    if (open !== undefined && bar.time < open.time) return undefined;
    this.#open.set(bar.symbol, bar);
    return open !== undefined && open.time < bar.time ? open : undefined;
  }

  reset(): void {
    this.#open.clear();
  }
}
