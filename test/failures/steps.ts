import fc from 'fast-check';
import {
  batch,
  dedupe,
  delayUntil,
  expire,
  fallback,
  rateLimit,
  scanByKey,
  tapValues,
  unbatch,
} from '../../operators/index.ts';
import { jsonState } from '../../src/index.ts';
import { type Step, bounded } from './part.ts';

interface Count {
  n: number;
}

const counted = jsonState('1', json => json as Count);

const anywhere: readonly fc.Arbitrary<Step>[] = [
  fc.boolean().map(isStored => ({
    text: `dedupe${isStored ? ', stored' : ''}`,
    make: ({ scheduler, meter, state }) => dedupe({ scheduler, meter, ...(isStored && { state }) }),
  })),
  fc.constantFrom(2, 1_000).map(maxWaiting => ({
    text: `200 a second, ${maxWaiting} wait`,
    ...bounded(maxWaiting),
    make: ({ scheduler, meter }) => rateLimit({ perSecond: 200, maxWaiting }, { scheduler, meter }),
  })),
  fc.constant<Step>({
    text: 'delay by 30 ms',
    make: ({ scheduler, meter }) => delayUntil(() => scheduler.now() + 30, { scheduler, meter }),
  }),
  fc.constant<Step>({
    text: 'expire after 2 s',
    isByChance: true,
    make: ({ scheduler }) => expire(2_000, { by: 'log-time', scheduler }),
  }),
  fc.constant<Step>({ text: 'tap', make: () => tapValues(() => undefined) }),
  fc.constant<Step>({
    text: 'count by key',
    make: ({ scheduler, state }) =>
      scanByKey<string, Count, string>(
        (count, text) => {
          count.n += 1;
          return [text];
        },
        { name: 'counts', seed: () => ({ n: 0 }), codec: counted, state, scheduler },
      ),
  }),
];

const behind: readonly fc.Arbitrary<Step>[] = [
  fc.record({ count: fc.integer({ min: 2, max: 5 }), timeMs: fc.nat(50) }).map(({ count, timeMs }) => ({
    text: `batch of ${count} in ${timeMs} ms, and apart`,
    keepsOrder: false,
    isByChance: true,
    takesOthers: true,
    make:
      ({ scheduler, meter }) =>
      source$ =>
        source$.pipe(batch<string>({ count, timeMs }, { scheduler, meter }), unbatch()),
  })),
  fc.constant<Step>({
    text: 'fall back on itself where a circuit is open',
    keepsOrder: false,
    make: ({ scheduler, meter }) =>
      fallback<string, string>((_, { payload }) => Buffer.from(payload ?? []).toString(), {
        when: ({ tag }) => tag === 'circuit-open',
        scheduler,
        meter,
      }),
  }),
];

/** What stands before the step that tries. */
export const stepsBefore: fc.Arbitrary<readonly Step[]> = distinct(anywhere);

/** And behind it: mostly nothing, for what stands there keeps no order. */
export const stepsBehind: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: distinct(behind) },
);

/** Operators that keep state have names, so each comes once. */
function distinct(steps: readonly fc.Arbitrary<Step>[]): fc.Arbitrary<readonly Step[]> {
  return fc.shuffledSubarray([...steps], { maxLength: 2 }).chain(chosen => fc.tuple(...chosen));
}
