import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BookState, levelOf, levelsOf } from '../../src/feeds/order-book.ts';
import { bitfinexChecksum, krakenChecksum, okxChecksum } from '../../src/feeds/book-checksums.ts';

const book = (bids: readonly unknown[], asks: readonly unknown[], maxLevels = 10): BookState => {
  const state = new BookState({ maxLevels });
  state.replace(levelsOf(bids) ?? [], levelsOf(asks) ?? []);
  return state;
};

describe('a level', () => {
  it.each([
    ['a price of zero', '0', '1'],
    ['a negative price', '-1', '1'],
    ['a negative size', '1', '-1'],
    ['no number', 'x', '1'],
    ['an empty text', '', '1'],
    ['NaN', Number.NaN, 1],
    ['nothing', undefined, 1],
  ])('is none with %s', (_, price, size) => {
    expect(levelOf(price, size)).toBeUndefined();
  });

  it('of size zero is one: it removes', () => {
    expect(levelOf('1.50', '0.000')).toEqual({ price: 1.5, size: 0, priceText: '1.50', sizeText: '0.000' });
  });

  it('among rows of which one is no row makes none of them levels', () => {
    expect(levelsOf([['1', '2'], 'no'])).toBeUndefined();
    expect(levelsOf('no')).toBeUndefined();
  });
});

describe('a book', () => {
  it('sorts both sides best first, whatever the order of the snapshot, and stores no size of zero', () => {
    const { bids, asks } = book(
      [
        [9, 1],
        [10, 2],
        [8, 0],
      ],
      [
        [12, 1],
        [11, 3],
      ],
    ).top(5);
    expect(bids).toEqual([
      [10, 2],
      [9, 1],
    ]);
    expect(asks).toEqual([
      [11, 3],
      [12, 1],
    ]);
  });

  it('changes, adds and removes levels', () => {
    const state = book(
      [
        [10, 2],
        [9, 1],
      ],
      [[11, 3]],
    );
    state.apply(
      levelsOf([
        [10, 0],
        [9, 4],
        [9.5, 1],
        [1, 0],
      ]) ?? [],
      levelsOf([[11, 1]]) ?? [],
    );
    expect(state.top(5)).toEqual({
      bids: [
        [9.5, 1],
        [9, 4],
      ],
      asks: [[11, 1]],
    });
  });

  it('keeps no more levels than its limit, the best', () => {
    const state = book(
      [
        [10, 1],
        [9, 1],
        [8, 1],
      ],
      [],
      2,
    );
    expect(state.top(5).bids).toEqual([
      [10, 1],
      [9, 1],
    ]);
    state.apply(levelsOf([[11, 1]]) ?? [], []);
    expect(state.top(5).bids).toEqual([
      [11, 1],
      [10, 1],
    ]);
  });

  it.each([
    [[[10, 1]], [[10, 1]], true],
    [[[11, 1]], [[10, 1]], true],
    [[[9, 1]], [[10, 1]], false],
    [[], [[10, 1]], false],
  ])('%j against %j crossed: %s', (bids, asks, crossed) => {
    expect(book(bids, asks).crossed).toBe(crossed);
  });
});

describe('checksums', () => {
  it('of Kraken equals the CRC-32 of the ten best asks, then bids, without points and leading zeros', () => {
    const asks = Array.from({ length: 12 }, (_, index) => [`0.0500${index + 10}`, '0.00000500']);
    const text = Array.from({ length: 10 }, (_, index) => `500${index + 10}500`).join('');
    const bids = [['0.04995', '12.50']];
    expect(krakenChecksum(book(bids, asks, 20))).toBe(crc32(`${text}49951250`));
  });

  it('of OKX and Bitfinex equals the CRC-32 of the text worked out by hand', () => {
    // zlib.crc32 of "3366.1:7:3366.8:9:3366:6:3368:8", as OKX documents the order, read as signed.
    const okx = book(
      [
        ['3366.1', '7'],
        ['3366', '6'],
      ],
      [
        ['3366.8', '9'],
        ['3368', '8'],
      ],
    );
    expect(okxChecksum(okx)).toBe(-1_881_014_294);
    // "6000:1:6001:-2:5900:3"
    expect(
      bitfinexChecksum(
        book(
          [
            [6000, 1],
            [5900, 3],
          ],
          [[6001, 2]],
        ),
      ),
    ).toBe(-259_936_687);
  });
});
