import fc from 'fast-check';
import { isObservable, mergeMap, of } from 'rxjs';
import { each, mapValues, retryWithBackoff } from '../../operators/index.ts';
import { historyOf } from '../../src/core/message-history.ts';
import type { Message } from '../../src/index.ts';
import { fateful } from './handler.ts';
import { type ChainTools, type Part, type Trying, bounded } from './part.ts';

const order = fc.oneof(
  { weight: 4, arbitrary: fc.constant('key' as const) },
  { weight: 1, arbitrary: fc.constant('none' as const) },
);
const concurrency = fc.integer({ min: 1, max: 4 });
/** A bound that is met now and then, or hardly ever. */
const few = fc.constantFrom(2, 1_000, 1_000, 1_000);

function promises(bound: number, by: 'key' | 'none'): Omit<Part, 'text'> {
  return { ...bounded(bound), ...(by === 'none' && { keepsOrder: false }) };
}

/** Messages wait for their next attempt in memory, or go round through the retry topic. */
const retrying: fc.Arbitrary<Trying> = fc
  .record({
    order,
    concurrency,
    few,
    retries: fc.nat(4),
    timeoutMs: fc.constantFrom(undefined, 80),
    wait: fc.constantFrom('topic' as const, 'topic' as const, 'state' as const, 'memory' as const),
    jitter: fc.constantFrom('none' as const, 'equal' as const, 'decorrelated' as const),
  })
  .map(({ wait, few: bound, ...of }) => ({
    text: `${of.retries} retries by ${wait}, order ${of.order}, ${of.concurrency} at once, ${bound} wait, each ${of.timeoutMs ?? 'any'} ms`,
    ...promises(bound, of.order),
    attempts: of.retries + 1,
    ...(wait === 'state' && { remembers: true }),
    make: ({ scheduler, publisher, state, meter, called }) => {
      const { order: by, timeoutMs, ...limits } = of;
      const handler = fateful({ scheduler, isTimed: timeoutMs !== undefined, isImmediate: false, called });
      const common = {
        ...limits,
        scheduler,
        meter,
        ...(timeoutMs !== undefined && { timeoutMs }),
        random: () => 0.5,
      };
      if (wait !== 'topic') {
        return retryWithBackoff(handler, {
          ...common,
          order: by,
          maxWaiting: bound,
          ...(wait === 'state' && { state }),
        });
      }
      return by === 'key'
        ? retryWithBackoff(handler, { ...common, through: { publisher, state, maxParkedPerKey: bound } })
        : retryWithBackoff(handler, { ...common, order: by, through: { publisher } });
    },
  }));

const once: fc.Arbitrary<Trying> = fc.oneof(
  fc.record({ order, concurrency, few }).map(({ order: by, concurrency: running, few: bound }) => ({
    text: `each, order ${by}, ${running} at once, ${bound} wait`,
    ...promises(bound, by),
    attempts: 1,
    make: ({ scheduler, called }: ChainTools) => {
      const handler = fateful({ scheduler, isTimed: false, isImmediate: false, called });
      return each<string, string>(
        (text$, { message }) =>
          text$.pipe(
            mergeMap(text => {
              const attempt = attemptOf(message);
              const answer = handler(text, { message, attempt });
              return isObservable(answer) ? answer : of(answer);
            }),
          ),
        { scheduler, order: by, concurrency: running, maxWaiting: bound },
      );
    },
  })),
  fc.constant<Trying>({
    text: 'map',
    attempts: 1,
    make: ({ scheduler, called }) => {
      const handler = fateful({ scheduler, isTimed: false, isImmediate: true, called });
      return mapValues(
        (text, message) => {
          const answer = handler(text, { message, attempt: attemptOf(message) });
          return typeof answer === 'string' ? answer : text;
        },
        { scheduler },
      );
    },
  }),
);

/** The one step of a chain that calls the handler. */
export const trying: fc.Arbitrary<Trying> = fc.oneof(
  { weight: 4, arbitrary: retrying },
  { weight: 1, arbitrary: once },
);

/** Where nothing is tried again each delivery is one attempt. */
function attemptOf(message: Message): number {
  return historyOf(message).attempts + 1;
}
