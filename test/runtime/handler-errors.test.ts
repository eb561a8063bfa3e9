import { setImmediate as nextTurn } from 'node:timers/promises';
import * as t from 'io-ts';
import { type OperatorFunction, map, mergeMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  decode,
  each,
  fallback,
  fanOut,
  filterValues,
  mapValues,
  retryWithBackoff,
  scanByKey,
  tapValues,
} from '../../operators/index.ts';
import {
  type Delivery,
  type FailurePolicy,
  type PipelineContext,
  jsonState,
  pipeline,
} from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { topics, words } from './words.ts';

type Step = (context: PipelineContext) => OperatorFunction<Delivery<string>, Delivery<unknown>>;

const fail = (): never => {
  throw new Error('no');
};

/** What the meter has counted of one message through one operator. */
async function countOf(step: Step, onFailure: FailurePolicy = 'dead-letter'): Promise<number> {
  const failing = pipeline(
    'failing',
    context => context.source(words).pipe(decode(words), step(context), context.onFailure()),
    { onFailure },
  );
  const driver = await PipelineDriver.start({ topics, pipelines: () => [failing] });
  driver.give(words, 'a');
  await nextTurn();
  driver.runFor(10_000);
  return driver.runtime.meter.sum('stream_handler_error_total', { pipeline: 'failing' });
}

describe('stream_handler_error_total', () => {
  const steps: Readonly<Record<string, Step>> = {
    each: () => each(value$ => value$.pipe(map(fail))),
    'each, with a Promise': () =>
      each(value$ => value$.pipe(mergeMap(() => Promise.reject(new Error('no'))))),
    mapValues: () => mapValues(fail),
    filterValues: () => filterValues(fail),
    tapValues: () => tapValues(fail),
    fanOut: () => fanOut(fail),
    scanByKey: () => scanByKey(fail, { seed: () => 0, codec: jsonState('1', t.number) }),
  };

  it.each(Object.entries(steps))('counts what a handler throws in %s', async (_, step) => {
    expect(await countOf(step)).toBe(1);
  });

  it.each(['dead-letter', 'skip'] as const)('counts it under the policy %s', async policy => {
    expect(await countOf(() => mapValues(fail), policy)).toBe(1);
  });

  it('counts each attempt once, the last one where it leaves the chain', async () => {
    expect(
      await countOf(({ scheduler, meter }) => retryWithBackoff(fail, { retries: 3, scheduler, meter })),
    ).toBe(4);
    expect(await countOf(({ scheduler }) => retryWithBackoff(fail, { retries: 0, scheduler }))).toBe(1);
  });

  it('counts what a fallback answers for', async () => {
    const answered: Step =
      ({ scheduler, meter }) =>
      deliveries$ =>
        deliveries$.pipe(
          mapValues<string, string>(fail),
          fallback(() => 'x', { scheduler, meter }),
        );
    expect(await countOf(answered)).toBe(1);
  });

  it('counts no failure that is no handler', async () => {
    expect(await countOf(() => source$ => source$.pipe(mapValues(word => word)))).toBe(0);
  });
});
