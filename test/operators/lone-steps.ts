import * as fc from 'fast-check';
import { type Observable, type SchedulerLike, delay, mergeMap, of, throwError, timer } from 'rxjs';
import { batch } from '../../operators/batch.ts';
import { dedupe } from '../../operators/dedupe.ts';
import { delayUntil } from '../../operators/delay-until.ts';
import { each } from '../../operators/each.ts';
import { expire } from '../../operators/expire.ts';
import { fallback } from '../../operators/fallback.ts';
import { fanOut } from '../../operators/fan-out.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { rateLimit } from '../../operators/rate-limit.ts';
import type { AttemptContext } from '../../operators/attempt.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { tapValues } from '../../operators/tap-values.ts';
import { unbatch } from '../../operators/unbatch.ts';
import { textCodec } from '../../src/core/codec.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import type { Message } from '../../src/core/message.ts';
import { topic } from '../../src/core/topic.ts';
import type { ChainStep } from './chain-step.ts';
import { fails, slow } from './slow-work.ts';

const out = topic('out', textCodec);

/** Steps that stand alone. */
export const loneSteps: readonly fc.Arbitrary<ChainStep>[] = [
  fc.integer({ min: 2, max: 9 }).map(modulo => ({
    text: `map, 1 in ${modulo} throws`,
    bound: 0,
    make: (name, { scheduler }) => mapValues(throwing(modulo), { name, scheduler }),
  })),
  fc.integer({ min: 2, max: 9 }).map(modulo => ({
    text: `filter, 1 in ${modulo} out`,
    bound: 0,
    make: name => filterValues<string>(value => Number(value) % modulo !== 0, { name }),
  })),
  fc.nat(3).map(copies => ({
    text: `fan out to ${copies}`,
    bound: 0,
    make: name => fanOut<string, string>(value => Array.from({ length: copies }, () => value), { name }),
  })),
  fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 9 })).map(([count, timeMs]) => ({
    text: `batch of ${count} in ${timeMs} ms, and apart`,
    isUnordered: true,
    bound: count - 1,
    make:
      (name, { scheduler, meter }) =>
      (source$: Observable<Delivery<string>>) =>
        source$.pipe(batch({ count, timeMs }, { name, scheduler, meter }), unbatch()),
  })),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(9), fc.integer({ min: 3, max: 9 }))
    .map(([concurrency, ms, modulo]) => ({
      text: `each, ${concurrency} at once for up to ${2 * ms} ms, 1 in ${modulo} errors`,
      bound: 4,
      make: (name, { scheduler, meter }) =>
        each(slow(ms, modulo, scheduler), { name, concurrency, maxWaiting: 4, scheduler, meter }),
    })),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(2), fc.integer({ min: 3, max: 9 }))
    .map(([concurrency, retries, modulo]) => ({
      text: `${retries} retries of 1 in ${modulo}, ${concurrency} at once`,
      bound: 4,
      make: (name, { scheduler, meter }) => {
        const backoff = { firstDelayMs: 5, maxDelayMs: 20, random: () => 0.5 };
        const common = { name, concurrency, retries, maxWaiting: 4, scheduler, meter };
        return retryWithBackoff(failingOften(modulo, scheduler), { ...common, ...backoff });
      },
    })),
  fc
    .tuple(fc.constantFrom(100, 300, 1000), fc.integer({ min: 0, max: 5 }))
    .map(([perSecond, maxWaiting]) => ({
      text: `${perSecond} a second, ${maxWaiting} may wait`,
      bound: maxWaiting,
      make: (name, { scheduler, meter }) => rateLimit({ perSecond, maxWaiting }, { name, scheduler, meter }),
    })),
  fc.integer({ min: 5, max: 40 }).map(modulo => ({
    text: `dedupe by modulo ${modulo}`,
    isUnordered: true,
    bound: 0,
    make: name => dedupe<string>({ name, by: value => String(Number(value) % modulo) }),
  })),
  fc.nat(9).map(ms => ({
    text: `fall back after ${ms} ms`,
    isUnordered: true,
    bound: 4,
    make: (name, { scheduler, meter }) =>
      fallback<string, string>((_, message) => of(valueOf(message)).pipe(delay(ms, scheduler)), {
        ...{ name, concurrency: 2, maxWaiting: 4, scheduler, meter },
      }),
  })),
  fc.nat(20).map(ms => ({
    text: `delay by ${ms} ms`,
    bound: Number.POSITIVE_INFINITY,
    make: (name, { scheduler, meter }) => delayUntil(() => scheduler.now() + ms, { name, scheduler, meter }),
  })),
  fc.integer({ min: 20, max: 200 }).map(ms => ({
    text: `expire after ${ms} ms`,
    bound: 0,
    make: (name, { scheduler }) => expire(ms, { name, scheduler, by: 'log-time' }),
  })),
  fc.constant({ text: 'tap', bound: 0, make: () => tapValues(() => undefined) }),
  fc.constant({
    text: 'publish',
    bound: 0,
    make: (name, { publisher, scheduler }) => publishTo(out, publisher, { name, scheduler }),
  }),
];

function valueOf({ payload }: Message): string {
  return Buffer.from(payload ?? []).toString();
}

function throwing(modulo: number): (value: string) => string {
  return value => {
    if (fails(value, modulo)) throw new Error('thrown');
    return value;
  };
}

/** Fails once or more, at once or after some time. */
function failingOften(
  modulo: number,
  scheduler: SchedulerLike,
): (value: string, context: AttemptContext) => string | Observable<string> {
  return (value, { attempt }) => {
    const failing = fails(value, modulo) && attempt <= Number(value) % 4;
    if (Number(value) % 2 === 0) {
      return timer(Number(value) % 5, scheduler).pipe(
        mergeMap(() => (failing ? throwError(() => new Error('errored')) : of(value))),
      );
    }
    if (failing) throw new Error('thrown');
    return value;
  };
}
