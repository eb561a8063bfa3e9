import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../property-runs.ts';
import { Run, type Scenario, scenario } from './conservation-run.ts';

/**
 * A batch comes again as a whole, and goes by the key of its last member; what failed may have overtaken others
 * before it falls back; a dedupe or a window that has forgotten with its subscription passes what it left out before.
 * Order is not their promise.
 */
const inOrder: fc.Arbitrary<Scenario> = scenario.map(random => ({
  ...random,
  steps: random.steps.filter(({ isUnordered }) => isUnordered !== true),
}));

function isAscending(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0));
}

describe('random chains over the stub bus, run by members that come and go', () => {
  const holding = async (
    check: (run: Run, lag: number) => void,
    scenarios: fc.Arbitrary<Scenario> = scenario,
  ): Promise<void> => {
    await fc.assert(
      fc.asyncProperty(scenarios, async random => {
        const run = new Run(random);
        const { lag } = await run.play();
        check(run, lag);
      }),
      propertyRuns(150),
    );
  };

  it('settle every delivery once, and leave nothing in flight or uncommitted', async () => {
    await holding(({ made }, lag) => {
      expect(made.filter(({ settled }) => settled > 1)).toEqual([]);
      const inFlight = made.filter(({ duty, settled }) => settled === 0 && !duty.revoked);
      expect(inFlight.map(({ offset }) => offset)).toEqual([]);
      expect(lag).toBe(0);
      // Who still works at what was taken back has been told.
      expect(
        made.filter(({ duty, settled, signal }) => settled === 0 && duty.revoked && !signal.aborted),
      ).toEqual([]);
    });
  }, 600_000);

  it('bring the values of a key to the end in order, whatever is nacked on the way', async () => {
    await holding(({ passed, failed }) => {
      for (const values of passed.values()) {
        expect(values.filter(value => !failed.has(value))).toSatisfy(isAscending);
      }
    }, inOrder);
  }, 600_000);

  it('hold no more than they may', async () => {
    await holding(({ overfull }) => expect(overfull).toEqual([]));
  }, 600_000);
});
