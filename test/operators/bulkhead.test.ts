import * as fc from 'fast-check';
import { EMPTY, Subject, delay, filter, map, mergeMap, of, take, tap, throwError } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { bulkhead } from '../../operators/bulkhead.ts';
import { each } from '../../operators/each.ts';
import { mapValues } from '../../operators/map-values.ts';
import { timeLimit } from '../../operators/time-limit.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import { OptionError } from '../../src/core/option.ts';
import type { Section } from '../../src/core/section.ts';
import { idleSettlement } from '../../src/core/settlement.ts';
import { RecordingMeter, deliveryTest, failureWith, given, messageOf } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

/** Takes so many ms for each. */
function taking(ms: number, scheduler: TestScheduler): Section<string, string> {
  return each(letter$ => letter$.pipe(delay(ms, scheduler)), { concurrency: 64, order: 'none', scheduler });
}

/** What the section does with a delivery, and when its source takes it back, ms after it came. */
interface Plan {
  readonly tenant: 'x' | 'y';
  readonly takes: number;
  readonly ends: 'output' | 'nothing' | 'error';
  readonly takenBackAt: number | undefined;
}

const plans: fc.Arbitrary<readonly Plan[]> = fc.array(
  fc.record({
    tenant: fc.constantFrom('x', 'y'),
    takes: fc.nat(8),
    ends: fc.constantFrom('output', 'output', 'nothing', 'error'),
    takenBackAt: fc.option(fc.nat(20), { nil: undefined, freq: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
);

const letterAt = (i: number): string => String.fromCodePoint(97 + i);

/** A section that goes by plans, and who is in it by its own account. */
class Inside {
  readonly entered = new Map<string, string[]>();
  most = 0;
  readonly #plans: readonly Plan[];
  readonly #inside = new Set<string>();

  constructor(planned: readonly Plan[]) {
    this.#plans = planned;
  }

  plan(letter: string): Plan {
    const plan = this.#plans[letter.charCodeAt(0) - 97];
    if (plan === undefined) throw new RangeError(letter);
    return plan;
  }

  section(scheduler: TestScheduler): Section<string, string> {
    return each(
      (letter$, { message: { key } }) => {
        const letter = key ?? '';
        const leave = (): void => this.leave(letter);
        this.#enter(letter);
        const { takes, ends } = this.plan(letter);
        return letter$.pipe(
          delay(takes, scheduler),
          mergeMap(() => (ends === 'output' ? of(letter) : ends === 'nothing' ? EMPTY : failing)),
          tap({ next: leave, complete: leave, error: leave }),
        );
      },
      { concurrency: 64, order: 'none', scheduler },
    );
  }

  leave(letter: string): void {
    this.#inside.delete(letter);
  }

  #enter(letter: string): void {
    const { tenant } = this.plan(letter);
    this.entered.set(tenant, [...(this.entered.get(tenant) ?? []), letter]);
    this.#inside.add(letter);
    const neighbours = [...this.#inside].filter(other => this.plan(other).tenant === tenant);
    this.most = Math.max(this.most, neighbours.length);
  }
}

const failing = throwError(() => new Error('thrown'));

operatorContract('bulkhead that is not reached', {
  make: ({ scheduler }) =>
    bulkhead(
      mapValues((x: string) => x),
      { concurrency: 1, maxWaiting: 0, scheduler },
    ),
  makeThrowing: ({ scheduler }, error) =>
    bulkhead(
      mapValues((x: string) => x),
      {
        concurrency: 1,
        scheduler,
        by: () => {
          throw error;
        },
      },
    ),
});

operatorContract('bulkhead that lets values wait', {
  make: ({ scheduler }) => bulkhead(taking(4, scheduler), { concurrency: 1, scheduler }),
  expected: {
    one: { out: '------(a|)', acked: '------a' },
    many: { out: '------a---b---(c|)', acked: '------a---b---c' },
    failure: { out: '-----Fa-----(b|)', acked: '------a-----b' },
    'source error': { out: '-----#', acked: '' },
    'never ending': { out: '------a---b', acked: '------a---b' },
    'early unsubscribe': { out: '-', acked: '', takenBack: 'ab' },
    'nacked at the end': { out: '------a---(b|)', nacked: '------a---b' },
  },
});

describe('bulkhead', () => {
  it('lets so many in at once; the others wait in order, and what finds no room fails', () => {
    const meter = new RecordingMeter();
    const waiting: (number | undefined)[] = [];
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const guarded = bulkhead(taking(6, scheduler), {
        concurrency: 2,
        maxWaiting: 2,
        name: 'guard',
        scheduler,
        meter,
      });
      const out = hot('abcdef----g-----------|').pipe(guarded);
      expectDeliveries(out).toBe('----EFab----cd----g---|', {
        ...Object.fromEntries(['a', 'b', 'c', 'd', 'g'].map(letter => [letter, letter])),
        E: failureWith('overflow', { stage: 'guard', limit: 2, retryable: true, attempts: 1, firstAt: 4 }),
        F: failureWith('overflow', {
          reason: '2 deliveries wait already: send less, or raise concurrency or maxWaiting',
        }),
      });
      for (let frame = 0; frame < 24; frame++) {
        at(frame, () => waiting.push(meter.read('stream_buffered', { stage: 'guard' })));
      }
      expectSettled({ acked: '------ab----cd----g', nacked: '----ef' });
    });
    expect(waiting.map(n => n ?? '.').join('')).toBe('0012221000110000000000..');
  });

  it('gives each compartment places and a queue of its own, and forgets those that are empty', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const guarded = bulkhead(taking(5, scheduler), {
        concurrency: 1,
        maxWaiting: 1,
        maxCompartments: 2,
        by: (_, { key }) => key ?? '',
        scheduler,
      });
      const tenant = (value: string): ReturnType<typeof given<string>> =>
        given(value, { key: value[0] ?? '' });
      const source = hot('abcdef------g|', {
        a: tenant('x1'),
        b: tenant('x2'),
        c: tenant('x3'),
        d: tenant('y1'),
        e: tenant('z1'),
        f: tenant('y2'),
        g: tenant('z2'),
      });
      expectDeliveries(source.pipe(guarded)).toBe('--C-Ea--d-b--f---(g|)', {
        a: 'x1',
        b: 'x2',
        C: failureWith('overflow', { limit: 1 }),
        d: 'y1',
        E: failureWith('overflow', {
          reason: '2 compartments are in use already: raise maxCompartments',
          limit: 2,
        }),
        f: 'y2',
        g: 'z2',
      });
      expectSettled({ acked: '-----a--d-b--f---g', nacked: '--c-e' });
    });
  });

  it('frees the place of what is settled in the section, and of what fails there', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = each<string, string>(
        letter$ =>
          letter$.pipe(
            delay(3, scheduler),
            mergeMap(letter => (letter === 'a' ? EMPTY : throwError(() => new Error('thrown')))),
          ),
        { order: 'none', scheduler },
      );
      const out = hot('abc----|').pipe(bulkhead(section, { concurrency: 1, scheduler }));
      expectDeliveries(out).toBe('------F--(F|)', { F: failureWith('handle', { reason: 'thrown' }) });
      expectSettled({ acked: '---a', nacked: '------b--c' });
    });
  });

  it('frees the places of a batch with the batch', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = batch<string>({ count: 2, timeMs: 5 }, { scheduler });
      const out = hot('abcde---|').pipe(bulkhead(section, { concurrency: 2, scheduler }));
      expectDeliveries(out, { settle: 'leave' }).toBe('-x-y----(z|)', {
        x: ['a', 'b'],
        y: ['c', 'd'],
        z: ['e'],
      });
      expectSettled({ inFlight: 'abcde' });
    });
  });

  it('frees the place of what a time limit gave up', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const section = timeLimit(taking(9, scheduler), { limitMs: 4, scheduler });
      const out = hot('ab|').pipe(bulkhead(section, { concurrency: 1, scheduler }));
      expectDeliveries(out).toBe('----F---F----|', { F: failureWith('expired') });
      expectSettled({ nacked: '----a---b' });
    });
  });

  it('finds the places of what was taken back and never came out, while somebody waits', () => {
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const swallowing: Section<string, string> = source$ =>
        source$.pipe(filter(delivery => delivery.message.key !== 'a'));
      at(10, () => ledger.takeBack('a'));
      at(20, () => ledger.takeBack('b'));
      const out = hot('abc 200ms |').pipe(bulkhead(swallowing, { concurrency: 1, scheduler }));
      // b began to wait at 1: the first look is 100 ms later.
      expectDeliveries(out).toBe('101ms c 101ms |');
      expectSettled({ acked: '101ms c', takenBack: 'ab' });
      at(150, () => expect(scheduler.actions.length).toBe(1));
    });
  });

  it('finds them, too, before it refuses', () => {
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const swallowing: Section<string, string> = source$ =>
        source$.pipe(filter(delivery => delivery.message.key !== 'a'));
      at(10, () => ledger.takeBack('a'));
      const guarded = bulkhead(swallowing, {
        concurrency: 1,
        maxWaiting: 0,
        maxCompartments: 1,
        by: letter => (letter === 'd' ? 'other' : ''),
        scheduler,
      });
      const out = hot('ab 200ms c 5ms d|').pipe(guarded);
      expectDeliveries(out).toBe('-B 200ms c 5ms d|', { B: failureWith('overflow'), c: 'c', d: 'd' });
      expectSettled({ acked: ['202ms c 5ms d'], nacked: '-b', takenBack: 'a' });
    });
  });

  it('lets many in one after the other without growing the stack', () => {
    const first$ = new Subject<undefined>();
    const section: Section<number, number> = mergeMap(delivery =>
      delivery.message.offset === 0 ? first$.pipe(map(() => delivery)) : of(delivery),
    );
    const source$ = new Subject<Delivery<number>>();
    let out = 0;
    source$.pipe(bulkhead(section, { concurrency: 1, maxWaiting: 100_000 })).subscribe(() => out++);
    for (let n = 0; n < 50_000; n++) source$.next(ok(n, messageOf({ offset: n }), idleSettlement));
    expect(out).toBe(0);
    first$.next(undefined);
    first$.complete();
    expect(out).toBe(50_000);
  });

  it('lets nobody overtake who waits, not even who comes while places are given away', () => {
    const first$ = new Subject<undefined>();
    const section: Section<string, string> = mergeMap(delivery =>
      delivery.message.key === 'a' ? first$.pipe(map(() => delivery)) : of(delivery),
    );
    const source$ = new Subject<Delivery<string>>();
    const send = (key: string): void => source$.next(ok(key, messageOf({ key }), idleSettlement));
    const left: (string | null)[] = [];
    source$.pipe(bulkhead(section, { concurrency: 1 })).subscribe(({ message: { key }, ...delivery }) => {
      left.push(key);
      delivery[settlement].ack();
      if (key === 'b') send('d');
    });
    for (const key of ['a', 'b', 'c']) send(key);
    first$.next(undefined);
    expect(left).toEqual(['a', 'b', 'c', 'd']);
  });

  it('forgets who waits when it is unsubscribed from by what comes out', () => {
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSettled }) => {
      const out = cold('abc---|').pipe(
        bulkhead(taking(3, scheduler), { concurrency: 1, scheduler }),
        take(1),
      );
      expectDeliveries(out).toBe('---(a|)');
      // each had not come to its end: a was taken back, too.
      expectSettled({ takenBack: 'abc' });
    });
  });

  // Kills: a place that is freed twice, or never; one more let in than there are places; a waiting one overtaken.
  it('is never above its bounds, keeps the order of each compartment, and lets nothing out twice', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 3 }), fc.nat(3), (planned, concurrency, maxWaiting) => {
        const meter = new RecordingMeter();
        const watch = new Inside(planned);
        const left: string[] = [];
        deliveryTest(({ cold, scheduler, ledger, at }) => {
          const bounds = { concurrency, maxWaiting, by: (letter: string) => watch.plan(letter).tenant };
          const guarded = bulkhead(watch.section(scheduler), { ...bounds, scheduler, meter });
          const letters = planned.map((_, i) => letterAt(i)).join('');
          cold(`${letters}|`)
            .pipe(guarded)
            .subscribe(delivery => {
              left.push(delivery.message.key ?? '');
              if (delivery.ok) delivery[settlement].ack();
              else delivery[settlement].nack();
            });
          planned.forEach(({ takenBackAt }, i) => {
            if (takenBackAt === undefined) return;
            at(i + takenBackAt, () => {
              ledger.takeBack(letterAt(i));
              watch.leave(letterAt(i));
            });
          });
          for (let frame = 0; frame < 30; frame++) {
            at(frame, () => {
              const waiting = meter.read('stream_buffered', { stage: 'bulkhead' }) ?? 0;
              expect(waiting).toBeLessThanOrEqual(maxWaiting * 2);
            });
          }
        });
        expect(watch.most).toBeLessThanOrEqual(concurrency);
        for (const names of watch.entered.values()) expect(names).toEqual([...names].sort());
        expect(new Set(left).size).toBe(left.length);
      }),
    );
  });

  it.each([
    [{ concurrency: 0 }, 'bulkhead.concurrency is 0, must be a whole number from 1'],
    [{ concurrency: 1, maxWaiting: -1 }, 'bulkhead.maxWaiting is -1, must be a whole number from 0'],
    [{ concurrency: 1, maxCompartments: 0 }, 'bulkhead.maxCompartments is 0, must be a whole number from 1'],
  ])('refuses %j when it is made', (options, problem) => {
    const section = mapValues((x: string) => x);
    expect(() => bulkhead(section, options)).toThrow(OptionError);
    expect(() => bulkhead(section, options)).toThrow(problem);
  });
});
