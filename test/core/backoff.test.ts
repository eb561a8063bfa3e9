import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, type Jitter } from '../../src/core/backoff.ts';
import { OptionError } from '../../src/core/option.ts';

const jitters: readonly Jitter[] = ['none', 'equal', 'full', 'decorrelated'];

describe('Backoff', () => {
  it('doubles from 100 ms to 10 s', () => {
    const backoff = new Backoff('retry', { jitter: 'none' });
    expect([1, 2, 3, 7, 8, 2000].map(attempt => backoff.delayMs(attempt))).toEqual([
      100, 200, 400, 6400, 10_000, 10_000,
    ]);
  });

  it('spreads a delay of 400 ms as its jitter says', () => {
    const delays = (jitter: Jitter): number[] =>
      [0, 0.5, 0.999].map(random => new Backoff('retry', { jitter, random: () => random }).delayMs(3, 200));
    expect(delays('equal')).toEqual([200, 300, 400]);
    expect(delays('full')).toEqual([0, 200, 400]);
    expect(delays('decorrelated')).toEqual([100, 350, 600]);
  });

  it('never waits longer than its bound, nor less than nothing', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...jitters),
        random,
        fc.integer({ min: 1, max: 5000 }),
        fc.nat(20_000),
        (jitter, drawn, attempt, before) => {
          const delay = new Backoff('retry', { jitter, random: () => drawn }).delayMs(attempt, before);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(10_000);
        },
      ),
    );
  });

  it.each([
    [{ firstDelayMs: -1 }, 'retry.firstDelayMs is -1'],
    [{ factor: 0.5 }, 'retry.factor is 0.5'],
    [{ firstDelayMs: 200, maxDelayMs: 100 }, 'retry.maxDelayMs is 100'],
    [{ jitter: 'some' as Jitter }, 'retry.jitter is some'],
  ])('refuses %j', (options, problem) => {
    expect(() => new Backoff('retry', options)).toThrow(OptionError);
    expect(() => new Backoff('retry', options)).toThrow(problem);
  });
});
