import * as fc from 'fast-check';
import {
  bufferCount,
  concat,
  delay,
  filter,
  ignoreElements,
  map,
  mergeMap,
  of,
  throwError,
  timer,
} from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { each } from '../../operators/each.ts';
import { mapValues } from '../../operators/map-values.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { timeLimit } from '../../operators/time-limit.ts';
import { all, settlement } from '../../src/core/delivery.ts';
import { OptionError } from '../../src/core/option.ts';
import type { Section } from '../../src/core/section.ts';
import { memoryStateStore } from '../../src/core/state.ts';
import { FakePublisher, deliveryTest, failureWith } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

/** Takes so many ms for each letter; a capital letter throws at the end of it. */
function taking(ms: Readonly<Record<string, number>>, scheduler: TestScheduler): Section<string, string> {
  return each(
    letter$ =>
      letter$.pipe(
        mergeMap(letter =>
          timer(ms[letter] ?? 0, scheduler).pipe(
            mergeMap(() => (letter < 'a' ? throwError(() => new Error('thrown')) : of(letter))),
          ),
        ),
      ),
    { order: 'none', scheduler },
  );
}

operatorContract('timeLimit around what is quick', {
  make: ({ scheduler }) =>
    timeLimit(
      mapValues((x: string) => x),
      { limitMs: 1, scheduler },
    ),
  makeThrowing: ({ scheduler }, error) =>
    timeLimit(
      mapValues<string, string>(() => {
        throw error;
      }),
      { limitMs: 1, scheduler },
    ),
});

/** What the section does with a delivery, and when its source takes it back, ms after it came. */
interface Plan {
  readonly takes: number;
  readonly errors: boolean;
  readonly takenBackAt: number | undefined;
}

const plans: fc.Arbitrary<readonly Plan[]> = fc.array(
  fc.record({
    takes: fc.nat(12),
    errors: fc.boolean(),
    takenBackAt: fc.option(fc.nat(15), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 12 },
);

const letterAt = (i: number): string => String.fromCodePoint(97 + i);

function following(scheduler: TestScheduler): Section<Plan, Plan> {
  return each(
    plan$ =>
      plan$.pipe(
        mergeMap(plan => timer(plan.takes, scheduler).pipe(map(() => plan))),
        map(plan => {
          if (plan.errors) throw new Error('thrown');
          return plan;
        }),
      ),
    { order: 'none', scheduler },
  );
}

/** What may become of a delivery, and when, ms after it came; of what happens in one moment either may be first. */
function outcomesOf({ takes, errors, takenBackAt = 99 }: Plan, limitMs: number): unknown[] {
  const through = [errors ? 'nacked' : 'acked', takes];
  const late = ['nacked', limitMs];
  const leavesAt = Math.min(takes, limitMs);
  return [
    ...(takes <= limitMs && takes <= takenBackAt ? [through] : []),
    ...(limitMs <= takes && limitMs <= takenBackAt ? [late] : []),
    ...(takenBackAt <= leavesAt ? [['taken back']] : []),
  ];
}

const expired = failureWith('expired', {
  stage: 'timeLimit',
  reason: 'not through within 5 ms',
  limitMs: 5,
  retryable: true,
  attempts: 1,
});

describe('timeLimit', () => {
  it('leaves what is on its way to a retry topic alone, for it may come back', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ latencyMs: 9, scheduler });
      const failing = (): string => {
        throw new Error('as told');
      };
      const retry = retryWithBackoff(failing, {
        scheduler,
        through: { publisher, state: memoryStateStore() },
      });
      const out = hot('-a 20ms |').pipe(timeLimit(retry, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('22ms |');
      expectSettled({ acked: '10ms a' });
    });
  });

  it('fails what is not through in time, and drops what comes of it later', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = taking({ a: 2, b: 8, C: 9, d: 4 }, scheduler);
      const source = hot('--a-----b-C-d---------|', { a: 'a', b: 'b', C: 'C', d: 'd' });
      const out = source.pipe(timeLimit(section, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('----a--------F-Gd-----|', {
        a: 'a',
        F: expired,
        G: expired,
        d: 'd',
      });
      expectSettled({ acked: '----a-----------d', nacked: '-------------b-C' });
    });
  });

  it('tells the section of it by the signal, and takes what waits there out of its turn', () => {
    const aborted: number[] = [];
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const section = each<string, string>(
        (letter$, { signal }) => {
          signal.addEventListener('abort', () => aborted.push(scheduler.frame));
          return letter$.pipe(delay(9, scheduler));
        },
        { concurrency: 1, order: 'none', scheduler },
      );
      const out = hot('a--b------c---|').pipe(timeLimit(section, { limitMs: 5, scheduler }));
      // b waits behind a, and is never begun.
      expectDeliveries(out).toBe('-----F--F------F---|', { F: expired });
    });
    expect(aborted).toEqual([5, 15]);
  });

  it('lets through what is settled in the section', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = each<string, string>(letter$ => letter$.pipe(delay(3, scheduler), ignoreElements()), {
        scheduler,
      });
      const out = hot('-a------------|').pipe(timeLimit(section, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('--------------|');
      expectSettled({ acked: '----a' });
    });
  });

  it('counts the first of several outputs', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = each<string, string>(
        letter$ => letter$.pipe(mergeMap(() => concat(of('x'), of('y').pipe(delay(8, scheduler))))),
        { scheduler },
      );
      const out = hot('-a------------|').pipe(timeLimit(section, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('-x-------y----|', { x: 'x', y: 'y' });
      expectSettled({ acked: '---------a' });
    });
  });

  it('fails the members of a batch that are too late, and lets the others pass', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = batch<string>({ count: 3 }, { scheduler });
      const out = hot('ab------c-----|').pipe(timeLimit(section, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('-----FF-x-----|', {
        F: expired,
        x: ['c'],
      });
      expectSettled({ acked: '--------c', nacked: '-----ab' });
    });
  });

  it('passes a batch of plain RxJS on while one of its members is in time', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section: Section<string, readonly string[]> = source$ =>
        source$.pipe(
          filter(delivery => delivery.ok),
          bufferCount(2),
          map(all),
        );
      const out = hot('a---b----|').pipe(timeLimit(section, { limitMs: 3, scheduler }));
      expectDeliveries(out).toBe('---Fx----|', { F: failureWith('expired'), x: ['a', 'b'] });
      expectSettled({ acked: '----b', nacked: '---a' });
    });
  });

  it('forgets what was taken back, and fails nothing for it', () => {
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      at(2, () => ledger.takeBack('a'));
      const section = taking({ a: 8, b: 3 }, scheduler);
      const out = hot('ab------------|').pipe(timeLimit(section, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('----b---------|');
      expectSettled({ acked: '----b', takenBack: 'a' });
    });
  });

  it('fails in its time what a section swallowed that has completed', () => {
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSettled }) => {
      const swallowing: Section<string, string> = source$ => source$.pipe(filter(({ ok }) => !ok));
      const out = cold('-a-|').pipe(timeLimit(swallowing, { limitMs: 5, scheduler }));
      expectDeliveries(out).toBe('------(F|)', { F: expired });
      expectSettled({ nacked: '------a' });
    });
  });

  it('starts one timer for all, and leaves none behind', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries }) => {
      const section = taking({}, scheduler);
      const out = hot('(abc) 50ms |').pipe(timeLimit(section, { limitMs: 20, scheduler }));
      const timers: number[] = [];
      at(15, () => timers.push(scheduler.actions.length));
      at(30, () => timers.push(scheduler.actions.length));
      expectDeliveries(out).toBe('(abc) 50ms |');
      // One look and one timer fewer.
      at(31, () => expect(timers).toEqual([timers[0], (timers[0] ?? 0) - 2]));
    });
  });

  // Kills: a duty that is not taken over (settled twice), a late output passed on, a forgotten expiry.
  it('lets each delivery leave once: in time, or as a failure at its limit', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 9 }), (planned, limitMs) => {
        const left: string[] = [];
        deliveryTest(({ cold, scheduler, ledger, at }) => {
          const values = Object.fromEntries(planned.map((plan, i) => [letterAt(i), plan]));
          const source = cold(`${Object.keys(values).join('')}|`, values);
          source.pipe(timeLimit(following(scheduler), { limitMs, scheduler })).subscribe(delivery => {
            left.push(letterAt(delivery.message.offset));
            if (delivery.ok) delivery[settlement].ack();
            else delivery[settlement].nack();
          });
          planned.forEach(({ takenBackAt }, i) => {
            if (takenBackAt !== undefined) at(i + takenBackAt, () => ledger.takeBack(letterAt(i)));
          });
          at(100, () => {
            const became = ledger.entries.map(({ outcome, settledAt }, i) =>
              settledAt === undefined ? [outcome] : [outcome, settledAt - i],
            );
            planned.forEach((plan, i) => expect(outcomesOf(plan, limitMs)).toContainEqual(became[i]));
          });
        });
        expect(new Set(left).size).toBe(left.length);
      }),
    );
  });

  it('refuses a limit out of range when it is made', () => {
    expect(() => timeLimit(batch({ count: 1 }), { limitMs: 0 })).toThrow(OptionError);
    expect(() => timeLimit(batch({ count: 1 }), { limitMs: 0 })).toThrow(
      'timeLimit.limitMs is 0, must be a number from 1',
    );
  });
});
