import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailingWorld, type Fate, type Place } from './failing-world.ts';

/** The reference: what was given, how often dead letters were sent back since, and what is wrong just now. */
interface Model {
  given: number;
  isAway: boolean;
}

/** The fifth dead letter puts a message into quarantine. */
const quarantineAt = 5;

type Step = fc.AsyncCommand<Model, FailingWorld>;

function step(
  text: string,
  run: (world: FailingWorld, model: Model) => Promise<void> | void,
  check: (model: Model) => boolean = () => true,
): Step {
  return {
    check: model => check(model),
    run: async (model, world) => {
      await run(world, model);
    },
    toString: () => text,
  };
}

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(3).map(times => ({ kind: 'succeeds', times }) as const) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }).map(times => ({ kind: 'heals', times }) as const) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('poison' as const, 'nonsense' as const).map(kind => ({ kind, times: 0 })),
  },
);

const give: fc.Arbitrary<Step> = fc.tuple(fate, fc.constantFrom('a', 'b', 'c')).map(([fateOf, key]) =>
  step(`give ${key} ${fateOf.kind} ${fateOf.times}`, (world, model) => {
    model.given++;
    world.give(fateOf, key);
  }),
);

const steps: fc.Arbitrary<Step>[] = [
  ...Array.from({ length: 6 }, () => give),
  fc.constantFrom(1, 60, 400, 3_000).map(ms => step(`pass ${ms} ms`, world => world.pass(ms))),
  fc.constant(step('the clock jumps an hour', world => world.pass(3_600_000))),
  fc.constant(step('crash', world => world.crash())),
  fc.constant(step('join or leave', world => (world.isShared ? world.leave() : world.join()))),
  fc.integer({ min: 1, max: 6 }).map(times =>
    step(`refuse ${times}`, world => {
      world.refusals = times;
    }),
  ),
  fc.constant(
    step('letters away or back', (world, model) => {
      model.isAway = !model.isAway;
      world.areLettersAway = model.isAway;
    }),
  ),
  fc.constant(
    step('the bus goes or comes back', world => {
      if (world.faults.disconnected) world.faults.reconnect();
      else world.faults.disconnect();
    }),
  ),
  fc.constant(
    step('redrive', async world => {
      if (world.faults.disconnected) world.faults.reconnect();
      await world.redrive();
    }),
  ),
];

/** What the reference wants of a message whose last dead letter to be sent back was this one. */
function expected(
  { kind, times }: Fate,
  redriven: number,
): { readonly letters: number; readonly place: Place } {
  if (kind === 'succeeds') return { letters: 0, place: 'output' };
  if (kind === 'heals' && redriven === times) return { letters: times, place: 'output' };
  const letters = redriven + 1;
  return { letters, place: letters === quarantineAt ? 'quarantine' : 'dead letter' };
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0));
}

async function check(world: FailingWorld): Promise<void> {
  expect(await world.pending()).toBe(0);
  const { outputs, fates, keys } = world;
  fates.forEach((fateOf, number) => {
    const { letters: deaths, place } = expected(fateOf, world.redriven[number] ?? 0);
    const letters = world.lettersOf(number);
    // One dead letter a death.
    const counts = letters.map(({ count }) => count).sort((a, b) => a - b);
    expect(counts).toEqual(Array.from({ length: deaths }, (_, i) => i + 1));
    expect(outputs.filter(output => output === number)).toHaveLength(place === 'output' ? 1 : 0);
    const inQuarantine = letters.filter(({ topic }) => topic === 'cryptorun-quarantine');
    expect(inQuarantine.map(({ count }) => count)).toEqual(place === 'quarantine' ? [quarantineAt] : []);
    const byCount = letters.toSorted((a, b) => a.count - b.count);
    expect(byCount.map(({ attempts }) => attempts)).toSatisfy(isAscending);
    expect(
      new Set(letters.map(({ origin, firstFailureAt }) => `${origin.offset} ${firstFailureAt}`)).size,
    ).toBeLessThan(2);
  });
  for (const key of new Set(keys)) {
    const healthy = outputs.filter(number => keys[number] === key && fates[number]?.kind === 'succeeds');
    expect(healthy).toSatisfy(isAscending);
  }
}

describe('a pipeline on which everything goes wrong', () => {
  // Kills: retries that keep no order of keys; deadLetter that acks before its letter is stored; a redrive that
  // forgets how often a message has died.
  it('brings every message to exactly one place, the keys in order, the attempts never going back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(steps, { maxCommands: 40 }), async commands => {
        const world = await FailingWorld.begin();
        await fc.asyncModelRun(() => ({ model: { given: 0, isAway: false }, real: world }), commands);
        await world.settle();
        await check(world);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
