import { describe, expect, it } from 'vitest';
import { normaliseReason } from '../../src/dlq/normalise-reason.ts';

describe('normaliseReason', () => {
  it.each([
    ['price -3 at 12:01', 'price <n> at <time>'],
    ['price -7 at 12:05', 'price <n> at <time>'],
    ['price 1.5e-8, then +2', 'price <n>, then <n>'],
    ['1,204 of 3 000 taken', '<n> of <n> <n> taken'],
    ['from 1-2 to prices[3]', 'from <n>-<n> to prices[<n>]'],
    ['at 2026-01-05T12:00:01.250Z', 'at <time>'],
    ['at 2026-01-05 12:00:01+02:00 and 2026-01-05', 'at <time> and <time>'],
    ['order 5f0c1e9a-0d5c-4b1a-8f4e-aaaabbbbcccc is gone', 'order <id> is gone'],
    ['message 5f0c1e9a77 of 0xdeadbeef', 'message <id> of <id>'],
    ['a facade decade of words', 'a facade decade of words'],
    ['no field "price" in `BTC-USD`', 'no field <text> in <text>'],
    ["can't find 'BTC-USD', don't ask", "can't find <text>, don't ask"],
    [
      `Unexpected token 'o', "nonsense" is not valid JSON`,
      'Unexpected token <text>, <text> is not valid JSON',
    ],
    [
      `Unexpected token 'x', ..."{"a": "b", x}"... is not valid JSON`,
      'Unexpected token <text>, <text> is not valid JSON',
    ],
    [
      'Invalid value {"price":"3"} supplied to : Tick/price: number',
      'Invalid value <value> supplied to : Tick/price: number',
    ],
    ['  two\n\tlines ', 'two lines'],
    ['user42 of shard7', 'user<n> of shard<n>'],
    ['', ''],
  ])('makes %j into %j', (reason, normal) => {
    expect(normaliseReason(reason)).toBe(normal);
  });

  it('is the same when it is done again', () => {
    const once = normaliseReason('Invalid value "3" supplied to x at 12:01, id 5f0c1e9a77 and -3');
    expect(normaliseReason(once)).toBe(once);
  });

  it('bounds what it looks at and what it gives', () => {
    const long = normaliseReason(`${'word '.repeat(1_000_000)}7`);
    expect(long.length).toBe(300);
  });

  // Kills: a pattern that goes back and forth over what it has seen, which would never end.
  it.each(['"', "'", '1', 'a1', 'Invalid value ', '0x', '....', '1:1', '2026-01-'])(
    'copes with a reason made of %j',
    piece => expect(normaliseReason(piece.repeat(100_000)).length).toBeLessThanOrEqual(300),
  );
});
