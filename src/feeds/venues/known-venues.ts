import { binance, binanceUsdm } from './binance.ts';
import { bitfinex } from './bitfinex.ts';
import { bitstamp } from './bitstamp.ts';
import { coinbaseAdvanced } from './coinbase-advanced.ts';
import { coinbaseExchange } from './coinbase-exchange.ts';
import { krakenV1 } from './kraken-v1.ts';
import { krakenV2 } from './kraken-v2.ts';
import { okx } from './okx.ts';
import type { Venue } from './venue.ts';

/** Every venue whose protocol is known, by name. */
export const knownVenues: readonly Venue[] = [
  binance,
  binanceUsdm,
  bitfinex,
  bitstamp,
  coinbaseExchange,
  coinbaseAdvanced,
  krakenV2,
  krakenV1,
  okx,
];

/** The venue of that name, as in `ws:NAME`. */
export function venueNamed(name: string): Venue | undefined {
  return knownVenues.find(venue => venue.name === name);
}

/** The venue whose recorded sessions come from this address; of two on one host, the one with the longer path. */
export function venueAt(url: string): Venue | undefined {
  const address = url.replace(/^[a-z]+:\/\//, '').replace(/^([^/:]+):\d+/, '$1');
  const hits = knownVenues.flatMap(venue =>
    venue.hosts.filter(host => address.startsWith(host)).map(host => ({ venue, length: host.length })),
  );
  return hits.toSorted((a, b) => b.length - a.length)[0]?.venue;
}
