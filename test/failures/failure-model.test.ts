import fc from 'fast-check';
import { describe, it, vi } from 'vitest';
import { propertyRuns } from '../property-runs.ts';
import { FailingWorld, type Outage } from './failing-world.ts';
import type { Fate } from './handler.ts';
import { failingChain } from './random-chain.ts';
import { checkEnd, checkNothingLost } from './reference.ts';

type Step = fc.AsyncCommand<object, FailingWorld>;

function step(text: string, run: (world: FailingWorld) => Promise<void> | void): Step {
  return {
    check: () => true,
    run: async (_, world) => {
      await run(world);
      await checkNothingLost(world);
    },
    toString: () => text,
  };
}

const fate: fc.Arbitrary<Fate> = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('succeeds' as const), times: fc.nat(3) }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('heals' as const), times: fc.integer({ min: 1, max: 3 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom(
            'poison' as const,
            'nonsense' as const,
            'unpublishable' as const,
            'unpublishable' as const,
          ),
          times: fc.constant(0),
        }),
      },
    ),
    fc.constantFrom(0, 0, 10, 50),
    fc.boolean(),
  )
  .map(([of, ms, hangs]) => ({ ...of, ms, hangs }));

const give: fc.Arbitrary<Step> = fc
  .tuple(fate, fc.constantFrom('a', 'a', 'b', 'c'))
  .map(([of, key]) =>
    step(`give ${key} ${of.kind} ${of.times}, ${of.ms} ms${of.hangs ? ', hanging' : ''}`, world =>
      world.give(of, key),
    ),
  );

const steps: fc.Arbitrary<Step>[] = [
  ...Array.from({ length: 8 }, () => give),
  fc.constantFrom(1, 60, 400, 3_000, 3_600_000).map(ms => step(`pass ${ms} ms`, world => world.pass(ms))),
  fc
    .constantFrom(1_000, 60_000, 3_600_000, 86_400_000)
    .chain(ms => fc.constantFrom(ms, -ms))
    .map(ms => step(`set the clock by ${ms} ms`, world => world.setClockBy(ms))),
  fc.constant(step('crash', world => world.crash())),
  fc.constantFrom(0, 300, 3_000).map(ms => step(`drain in ${ms} ms`, world => world.drainAndStart(ms))),
  fc
    .constantFrom('drained' as const, 'killed' as const)
    .map(how => step(`join or leave ${how}`, world => (world.isShared ? world.leave(how) : world.join()))),
  fc.integer({ min: 1, max: 6 }).map(times =>
    step(`refuse ${times}`, world => {
      world.refusals = times;
    }),
  ),
  fc.constantFrom<Outage>('letters', 'retry topic', 'outputs').map(outage =>
    step(`${outage} away or back`, world => {
      if (!world.away.delete(outage)) world.away.add(outage);
    }),
  ),
  fc.integer({ min: 1, max: 4 }).map(times => step(`repeat ${times}`, world => world.repeatNext(times))),
  fc.constant(
    step('the bus goes or comes back', world => {
      if (world.faults.disconnected) world.faults.reconnect();
      else world.faults.disconnect();
    }),
  ),
  fc.constant(step('redrive', world => world.redrive())),
];

describe('a pipeline on which everything goes wrong', () => {
  it('brings every message to exactly one place, the keys in order, the attempts never going back', async () => {
    await fc.assert(
      fc.asyncProperty(
        failingChain.map(chain => Object.assign(chain, { toString: () => chain.text })),
        fc.commands(steps, { maxCommands: 40, size: '+1' }),
        async (chain, commands) => {
          let draws = 0;
          // Jitter, too, is the same from the same seed.
          vi.spyOn(Math, 'random').mockImplementation(() => (draws++ * 0.618) % 1);
          const world = await FailingWorld.begin(chain);
          await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
          await world.settle();
          await checkEnd(world);
        },
      ),
      propertyRuns(60),
    );
  }, 600_000);
});
