import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../../property-runs.ts';
import { type Mishap, ModelWorld } from './model-world.ts';

const ms = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const worker = fc.nat({ max: 1 });
const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: ms(10, 200) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('say' as const), key: fc.nat({ max: 4 }), times: ms(1, 10) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stall' as const), worker, ms: ms(50, 3_500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), batches: ms(1, 5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebalance' as const) }) },
);

describe('exactly-once workers on a cluster in virtual time', () => {
  // Kills: what becomes of a transaction that was given up, in the one that comes after it.
  it('count every word once, in the order of its key, and commit with it all that belongs to it, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(mishap, { maxLength: 200, size: 'max' }), async (seed, mishaps) => {
        const world = await ModelWorld.start(seed, 2);
        try {
          for (const each of mishaps) await world.happen(each);
          await world.heal();
          expect(world.torn).toEqual([]);
          expect(world.backwards).toEqual([]);
          expect(world.seen).toEqual(world.wanted);
          expect(world.uncommitted).toBe(0);
        } finally {
          world.stop();
        }
      }),
      propertyRuns(20),
    );
  });
});
