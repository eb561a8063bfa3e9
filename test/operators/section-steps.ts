import * as fc from 'fast-check';
import { bulkhead } from '../../operators/bulkhead.ts';
import { circuitBreaker } from '../../operators/circuit-breaker.ts';
import { each } from '../../operators/each.ts';
import { fence } from '../../operators/fence.ts';
import { timeLimit } from '../../operators/time-limit.ts';
import type { ChainStep, ChainTools, Text } from './chain-step.ts';
import { slow } from './slow-work.ts';

/** What a step stands around: work of unequal lengths, or another step. */
interface Inner {
  readonly text: string;
  readonly isUnordered?: true;
  readonly make: (tools: ChainTools) => Text;
}

function innerSteps(lone: fc.Arbitrary<ChainStep>): fc.Arbitrary<Inner> {
  const work: fc.Arbitrary<Inner> = fc.nat(9).map(ms => ({
    text: `work for up to ${2 * ms} ms`,
    make: ({ scheduler }) => each(slow(ms, 7, scheduler), { scheduler }),
  }));
  return fc.oneof(
    work,
    lone.map(({ text, isUnordered, make }) => ({
      text,
      ...(isUnordered && { isUnordered }),
      make: (tools: ChainTools) => make('inner', tools),
    })),
  );
}

/** Steps that stand around others. */
export function sectionSteps(lone: fc.Arbitrary<ChainStep>): readonly fc.Arbitrary<ChainStep>[] {
  const inner = innerSteps(lone);
  return [
    fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(4), inner).map(([concurrency, maxWaiting, of]) => ({
      ...of,
      text: `bulkhead of ${concurrency}, ${maxWaiting} may wait, around: ${of.text}`,
      bound: maxWaiting,
      make: (name, tools) => bulkhead(of.make(tools), { name, concurrency, maxWaiting, ...tools }),
    })),
    fc.tuple(fc.integer({ min: 1, max: 15 }), inner).map(([limitMs, of]) => ({
      ...of,
      text: `time limit of ${limitMs} ms around: ${of.text}`,
      bound: 0,
      make: (name, tools) => timeLimit(of.make(tools), { name, limitMs, scheduler: tools.scheduler }),
    })),
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('wait' as const, 'fail' as const), inner)
      .map(([failures, whenOpen, of]) => ({
        ...of,
        text: `circuit of ${failures}, ${whenOpen}, around: ${of.text}`,
        // As many as the source has credits for.
        bound: whenOpen === 'fail' ? 0 : Number.POSITIVE_INFINITY,
        make: (name, { scheduler, meter, ...tools }) =>
          circuitBreaker(of.make({ scheduler, meter, ...tools }), {
            ...{ name, failures, whenOpen, scheduler, meter },
            ...{ coolDownMs: 10, maxCoolDownMs: 40, demand: 4, successes: 2 },
          }),
      })),
    inner.map(of => ({
      ...of,
      text: `fence around: ${of.text}`,
      bound: 0,
      make: (name, tools) => fence(of.make(tools), { name, scheduler: tools.scheduler }),
    })),
  ];
}
