import { describe, expect, it } from 'vitest';
import { asOptions, quoted, selectionOf } from '../../../src/cli/dlq/selection.ts';

const now = Date.UTC(2026, 0, 5, 12);

describe('a selection that was typed', () => {
  it.each([
    [{}, {}],
    [
      { id: '00ff', group: 'abcd1234' },
      { id: '00ff', group: 'abcd1234' },
    ],
    [
      { pipeline: 'bars', key: 'BTC-USD' },
      { pipeline: 'bars', key: 'BTC-USD' },
    ],
    [{ since: '2h' }, { since: now - 7_200_000 }],
    [
      { since: '2026-01-05T10:00Z', until: '1h' },
      { since: now - 7_200_000, until: now - 3_600_000 },
    ],
    [{ until: '2026-01-05' }, { until: now - 12 * 3_600_000 }],
  ])('%j is %j', (options, selection) => {
    expect(selectionOf(options, now)).toEqual(selection);
  });

  it.each([
    [{ id: 'xyz' }, '--id is "xyz"'],
    [{ id: 'abc' }, '4 to 32'],
    [{ group: '123456789' }, '4 to 8'],
    [{ since: 'yesterday' }, '--since is "yesterday"'],
    [{ since: '12:01' }, '--since is "12:01"'],
    [{ until: '2026-99-01' }, '--until is "2026-99-01"'],
    [{ since: '1h', until: '2h' }, '--until is not after --since'],
  ])('%j is refused', (options, text) => {
    expect(() => selectionOf(options, now)).toThrow(text);
  });

  it('is told as options that mean the same later', () => {
    const options = asOptions(selectionOf({ since: '2h', pipeline: 'bars', key: "it's" }, now));
    expect(options).toEqual(['--pipeline bars', `--key 'it'\\''s'`, '--since 2026-01-05T10:00:00.000Z']);
    expect(quoted('a b')).toBe(`'a b'`);
  });
});
