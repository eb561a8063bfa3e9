import { crc32 } from 'node:zlib';
import type { BookState, Level } from './order-book.ts';

/** A venue's checksum of the best levels of a book. */
export type BookChecksum = (book: BookState) => number;

const bare = (text: string): string => text.replace('.', '').replace(/^0+/, '');
const krakenSide = (side: readonly Level[]): string =>
  side.slice(0, 10).reduce((text, level) => text + bare(level.priceText) + bare(level.sizeText), '');

/**
 * Kraken, both versions: the ten best asks, then the ten best bids, each price and size without point and
 * leading zeros. Unsigned. Source: docs.kraken.com, "Spot websockets: book checksum".
 */
export const krakenChecksum: BookChecksum = book => crc32(krakenSide(book.asks) + krakenSide(book.bids));

/** Bid, ask, bid, ask, ...; where one side is shorter the rest of the other follows. */
function interleaved(book: BookState, bid: (level: Level) => string, ask: (level: Level) => string): string {
  const parts: string[] = [];
  for (let index = 0; index < 25; index += 1) {
    const [bidLevel, askLevel] = [book.bids[index], book.asks[index]];
    if (bidLevel !== undefined) parts.push(bid(bidLevel));
    if (askLevel !== undefined) parts.push(ask(askLevel));
  }
  return parts.join(':');
}

const signed = (value: number): number => value | 0;

/** OKX: 25 levels a side, `price:size` in the venue's digits. Signed. Source: OKX API v5, "Checksum". */
export const okxChecksum: BookChecksum = book => {
  const text = (level: Level): string => `${level.priceText}:${level.sizeText}`;
  return signed(crc32(interleaved(book, text, text)));
};

/**
 * Bitfinex: 25 levels a side, `price:amount` as JavaScript prints numbers, asks below zero. Signed.
 * Source: docs.bitfinex.com, "WS order book checksum".
 */
export const bitfinexChecksum: BookChecksum = book =>
  signed(
    crc32(
      interleaved(
        book,
        level => `${level.price}:${level.size}`,
        level => `${level.price}:${-level.size}`,
      ),
    ),
  );
