import * as fc from 'fast-check';
import {
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  delay,
  delayWhen,
  mergeMap,
  of,
  throwError,
  timer,
} from 'rxjs';
import { batch } from '../../operators/batch.ts';
import { bulkhead } from '../../operators/bulkhead.ts';
import { dedupe } from '../../operators/dedupe.ts';
import { each } from '../../operators/each.ts';
import { fallback } from '../../operators/fallback.ts';
import { fanOut } from '../../operators/fan-out.ts';
import { filterValues } from '../../operators/filter-values.ts';
import { mapValues } from '../../operators/map-values.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { rateLimit } from '../../operators/rate-limit.ts';
import type { AttemptContext } from '../../operators/attempt.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { timeLimit } from '../../operators/time-limit.ts';
import { unbatch } from '../../operators/unbatch.ts';
import { textCodec } from '../../src/core/codec.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import type { Message } from '../../src/core/message.ts';
import type { Meter } from '../../src/core/meter.ts';
import { topic } from '../../src/core/topic.ts';
import type { FakePublisher } from '../../src/testing/index.ts';

/** What the steps of a chain are made with. */
export interface ChainTools {
  readonly scheduler: SchedulerLike;
  readonly publisher: FakePublisher;
  readonly meter: Meter;
}

type Text = OperatorFunction<Delivery<string>, Delivery<string>>;

/** One step of a random chain; all of them keep the order of a key, but `batch`, `fall back` and `dedupe`. */
export interface ChainStep {
  readonly text: string;
  /** How many values it may hold back. */
  readonly bound: number;
  readonly make: (name: string, tools: ChainTools) => Text;
}

const out = topic('out', textCodec);
const fails = (value: string, modulo: number): boolean => Number(value) % modulo === 1;

const steps: readonly fc.Arbitrary<ChainStep>[] = [
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
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(4), fc.nat(9)).map(([concurrency, maxWaiting, ms]) => ({
    text: `bulkhead of ${concurrency}, ${maxWaiting} may wait, for up to ${2 * ms} ms`,
    bound: maxWaiting,
    make: (name, { scheduler, meter }) =>
      bulkhead(each(slow(ms, 7, scheduler), { scheduler }), {
        ...{ name, concurrency, maxWaiting, scheduler, meter },
      }),
  })),
  fc.tuple(fc.integer({ min: 1, max: 15 }), fc.nat(9)).map(([limitMs, ms]) => ({
    text: `time limit of ${limitMs} ms, for up to ${2 * ms} ms`,
    bound: 0,
    make: (name, { scheduler }) =>
      timeLimit(each(slow(ms, 7, scheduler), { scheduler }), { name, limitMs, scheduler }),
  })),
  fc.integer({ min: 5, max: 40 }).map(modulo => ({
    text: `dedupe by modulo ${modulo}`,
    bound: 0,
    make: name => dedupe<string>({ name, by: value => String(Number(value) % modulo) }),
  })),
  fc.nat(9).map(ms => ({
    text: `fall back after ${ms} ms`,
    bound: 4,
    make: (name, { scheduler, meter }) =>
      fallback<string, string>((_, message) => of(valueOf(message)).pipe(delay(ms, scheduler)), {
        ...{ name, concurrency: 2, maxWaiting: 4, scheduler, meter },
      }),
  })),
  fc.constant({
    text: 'publish',
    bound: 0,
    make: (name, { publisher, scheduler }) => publishTo(out, publisher, { name, scheduler }),
  }),
];

/** Random steps, in any order. */
export const chainSteps: fc.Arbitrary<readonly ChainStep[]> = fc.array(fc.oneof(...steps), { maxLength: 5 });

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

function slow(
  ms: number,
  modulo: number,
  scheduler: SchedulerLike,
): (value$: Observable<string>) => Observable<string> {
  return value$ =>
    value$.pipe(
      // Unequal, so that only the operator keeps the order.
      delayWhen(value => timer((Number(value) % 3) * ms, scheduler)),
      mergeMap(value => (fails(value, modulo) ? throwError(() => new Error('errored')) : of(value))),
    );
}
