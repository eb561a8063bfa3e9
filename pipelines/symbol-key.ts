/** A symbol at a venue: what all state is kept by. */
export interface SymbolAtVenue {
  readonly venue: string;
  readonly symbol: string;
}

/** The key of state; topics are keyed by symbol alone. */
export function stateKey({ venue, symbol }: SymbolAtVenue): string {
  return `${venue} ${symbol}`;
}

/** Back from {@link stateKey}. */
export function symbolOf(key: string): SymbolAtVenue {
  const space = key.lastIndexOf(' ');
  return { venue: key.slice(0, space), symbol: key.slice(space + 1) };
}
