import { expect, it } from 'vitest';
import { retryAfterMs } from '../../../src/worker/sinks/retry-after.ts';

const now = Date.UTC(2026, 0, 1);

it.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['99999999999', undefined],
  [null, undefined],
])('reads retry-after %s as %s ms', (header, ms) => expect(retryAfterMs(header, now)).toBe(ms));
