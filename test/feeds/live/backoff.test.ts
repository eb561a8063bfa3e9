import { expect, it } from 'vitest';
import { backoffMs } from '../../../src/feeds/live/backoff.ts';

it('doubles to its limit, between half and all of the wait', () => {
  expect([0, 1, 2, 3].map(attempt => backoffMs(attempt, 1))).toEqual([500, 1000, 2000, 4000]);
  expect(backoffMs(1, 0)).toBe(500);
  expect(backoffMs(1000, 1)).toBe(30_000);
  expect(backoffMs(3, 1, { firstMs: 10, maxMs: 50 })).toBe(50);
});
