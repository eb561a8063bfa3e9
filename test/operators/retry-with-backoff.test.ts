import {
  EMPTY,
  NEVER,
  Observable,
  concat,
  concatMap,
  delay,
  from,
  lastValueFrom,
  map,
  of,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { AttemptContext } from '../../operators/attempt.ts';
import type { RetryOptions } from '../../operators/retry-options.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import { ok, settlement } from '../../src/core/delivery.ts';
import { historyHeaders } from '../../src/core/message-history.ts';
import { OptionError } from '../../src/core/option.ts';
import {
  type Given,
  RecordingMeter,
  SettlementLedger,
  deliveryTest,
  failureWith,
  given,
  givenFailure,
  messageOf,
} from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const fixed = { jitter: 'none' } as const;

operatorContract('retryWithBackoff', {
  make: ({ scheduler }) => retryWithBackoff((letter: string) => letter, { scheduler }),
  makeThrowing: ({ scheduler }, error) =>
    retryWithBackoff<string, string>(
      () => {
        throw error;
      },
      { scheduler, retries: 0 },
    ),
});

operatorContract('retryWithBackoff of Observables', {
  make: ({ scheduler }) => retryWithBackoff((letter: string) => of(letter), { scheduler }),
  makeThrowing: ({ scheduler }, error) =>
    retryWithBackoff<string, string>(() => throwError(() => error), { scheduler, retries: 0 }),
});

const keyed = (value: string, key: string | null): Given<string> => given(value, { key });

/** A handler that fails so many times a value, at once. */
function failing(times: Readonly<Record<string, number>>): {
  readonly handler: (value: string) => string;
  readonly calls: Map<string, number>;
} {
  const calls = new Map<string, number>();
  const handler = (value: string): string => {
    const call = (calls.get(value) ?? 0) + 1;
    calls.set(value, call);
    if (call <= (times[value] ?? 0)) throw new Error(`${value} failed for the ${call}. time`);
    return value;
  };
  return { handler, calls };
}

describe('retryWithBackoff', () => {
  it('tries again after 100, 200 and 400 ms, then passes the failure on', () => {
    const { handler, calls } = failing({ a: 3, b: 4 });
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot('ab 900ms |', { a: keyed('a', 'k'), b: keyed('b', 'l') });
      const out = source.pipe(retryWithBackoff(handler, { ...fixed, scheduler, meter }));
      expectDeliveries(out).toBe('700ms aF 200ms |', {
        a: 'a',
        F: failureWith('handle', {
          stage: 'retryWithBackoff',
          reason: 'b failed for the 4. time',
          attempts: 4,
          firstAt: 1,
          lastAt: 701,
          retryable: true,
        }),
      });
      expectSettled({ acked: '700ms a', nacked: '701ms b' });
    });
    expect([...calls.values()]).toEqual([4, 4]);
    const tags = { stage: 'retryWithBackoff' };
    expect(meter.count('stream_retries_total', tags)).toBe(6);
    // The seventh failure ends b, and is counted where it leaves the chain.
    expect(meter.count('stream_handler_error_total', tags)).toBe(6);
  });

  it('shortens each delay at random by up to half unless told otherwise', () => {
    const { handler } = failing({ a: 3 });
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot('a 900ms |');
      expectDeliveries(source.pipe(retryWithBackoff(handler, { scheduler, random: () => 0 }))).toBe(
        '350ms a 550ms |',
      );
    });
  });

  it('holds up only the key of a message that waits for its next attempt', () => {
    const { handler } = failing({ a: 1 });
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot('abcd|', {
        a: keyed('a', 'k'),
        b: keyed('b', 'k'),
        c: keyed('c', 'l'),
        d: keyed('d', null),
      });
      const out = source.pipe(retryWithBackoff(handler, { ...fixed, scheduler, concurrency: 1 }));
      expectDeliveries(out).toBe('--cd 96ms (ab|)');
      expectSettled({ acked: '--cd 96ms (ab)' });
    });
  });

  it('lets messages of one key pass each other without order', () => {
    const { handler } = failing({ a: 1 });
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot('ab|', { a: keyed('a', 'k'), b: keyed('b', 'k') });
      const out = source.pipe(retryWithBackoff(handler, { ...fixed, scheduler, order: 'none' }));
      expectDeliveries(out).toBe('-b 98ms (a|)');
    });
  });

  it('holds no place while a message waits, and takes one for its next attempt', () => {
    const { handler } = failing({ a: 1 });
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot('ab 200ms |', { a: keyed('a', 'k'), b: keyed('b', 'l') });
      const handle = (value: string): Observable<string> =>
        timer(value === 'a' ? 1 : 150, scheduler).pipe(map(() => handler(value)));
      const out = source.pipe(retryWithBackoff(handle, { ...fixed, scheduler, concurrency: 1 }));
      // b runs from 1 to 151; a is due at 101 and has to wait for the place.
      expectDeliveries(out).toBe('151ms ba 49ms |', { a: 'a', b: 'b' });
    });
  });

  it('passes a failure on at once where trying again is of no use', () => {
    class Refused extends Error {
      readonly retryable = false;
    }
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const out = hot('a|').pipe(
        retryWithBackoff(
          () => {
            throw new Refused('no');
          },
          { scheduler },
        ),
      );
      expectDeliveries(out).toBe('F|', { F: failureWith('handle', { retryable: false, attempts: 1 }) });
      expectSettled({ nacked: 'a' });
    });
  });

  it('asks isRetryable, and keeps both reasons where that throws', () => {
    const isRetryable = (error: unknown): boolean => {
      if (!(error instanceof TypeError)) throw new Error('cannot tell');
      return false;
    };
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const out = hot('ab|').pipe(
        retryWithBackoff<string, string>(
          letter => {
            throw letter === 'a' ? new TypeError('wrong type') : new Error('strange');
          },
          { scheduler, isRetryable },
        ),
      );
      expectDeliveries(out).toBe('FG|', {
        F: failureWith('handle', { reason: 'wrong type', retryable: false }),
        G: failureWith('handle', {
          reason: 'strange; and isRetryable threw: cannot tell',
          retryable: false,
          cause: new AggregateError(
            [new Error('strange'), new Error('cannot tell')],
            'strange; and isRetryable threw: cannot tell',
          ),
        }),
      });
    });
  });

  it('ends an attempt that takes too long, and aborts its signal', () => {
    const contexts: AttemptContext[] = [];
    let unsubscribed = 0;
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const handle = (_: string, context: AttemptContext): Observable<string> => {
        contexts.push(context);
        expect(context.signal.aborted).toBe(false);
        return new Observable(() => () => unsubscribed++);
      };
      const out = hot('a 400ms |').pipe(
        retryWithBackoff(handle, { ...fixed, scheduler, timeoutMs: 50, retries: 1 }),
      );
      expectDeliveries(out).toBe('200ms F 200ms |', {
        F: failureWith('expired', {
          limitMs: 50,
          attempts: 2,
          firstAt: 50,
          lastAt: 200,
          retryable: true,
          reason: 'no result after 50 ms',
        }),
      });
      at(51, () => expect(contexts[0]?.signal.reason).toMatchObject({ name: 'TimeoutError' }));
      expectSettled({ nacked: '200ms a' });
    });
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(unsubscribed).toBe(2);
  });

  it('lets each attempt have its own time, however many run', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const takes: Readonly<Record<string, number>> = { a: 9, b: 11, c: 9 };
      const handle = (value: string): Observable<string> =>
        timer(takes[value] ?? 0, scheduler).pipe(map(() => value));
      const source = hot('a--b--c 30ms |', { a: keyed('a', 'k'), b: keyed('b', 'l'), c: keyed('c', 'm') });
      const out = source.pipe(retryWithBackoff(handle, { scheduler, timeoutMs: 10, retries: 0 }));
      expectDeliveries(out).toBe('---------a---F-c 21ms |', {
        a: 'a',
        c: 'c',
        F: failureWith('expired', { lastAt: 13 }),
      });
    });
  });

  it('takes an undefined value for an output', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const out = hot('a|').pipe(retryWithBackoff(() => undefined, { scheduler }));
      expectDeliveries(out).toBe('x|', { x: undefined });
      expectSettled({ acked: 'a' });
    });
  });

  it('lets the values of an Observable leave together; none: acked and counted', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const handle = (n: number): Observable<string> =>
        from('xyz'.slice(0, n)).pipe(concatMap(letter => of(letter).pipe(delay(2, scheduler))));
      const out = hot('-a-----------b|', { a: 3, b: 0 }).pipe(retryWithBackoff(handle, { scheduler, meter }));
      expectDeliveries(out).toBe('-------(xyz)--|', { x: 'x', y: 'y', z: 'z' });
      expectSettled({ acked: '-------a-----b' });
    });
    expect(meter.count('stream_filtered_total', { stage: 'retryWithBackoff' })).toBe(1);
  });

  it('leaves nothing behind of an attempt that fails after its first values', () => {
    let attempts = 0;
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const handle = (letter: string): Observable<string> =>
        concat(of(letter), ++attempts === 1 ? throwError(() => new Error('later')) : EMPTY);
      const out = hot('a 200ms |').pipe(retryWithBackoff(handle, { ...fixed, scheduler }));
      expectDeliveries(out).toBe('100ms a 100ms |');
      expectSettled({ acked: '100ms a' });
    });
  });

  it('fails with overflow what finds no room to wait for its turn or its next attempt', () => {
    const meter = new RecordingMeter();
    const waiting = (): number | undefined => meter.read('stream_buffered', { stage: 'retryWithBackoff' });
    const { handler } = failing({ a: 1, b: 1 });
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const source = hot('abc 200ms |', { a: keyed('a', 'k'), b: keyed('b', 'l'), c: keyed('c', 'k') });
      const out = source.pipe(retryWithBackoff(handler, { ...fixed, scheduler, maxWaiting: 1, meter }));
      expectDeliveries(out).toBe('-FG 97ms a 102ms |', {
        a: 'a',
        F: failureWith('overflow', { limit: 1, attempts: 1, cause: new Error('b failed for the 1. time') }),
        G: failureWith('overflow', { limit: 1, attempts: 1, cause: undefined }),
      });
      at(3, () => expect(waiting()).toBe(1));
      at(101, () => expect(waiting()).toBe(0));
      expectSettled({ acked: '100ms a', nacked: '-bc' });
    });
    expect(waiting()).toBeUndefined();
  });

  it('bounds the bytes of what waits as well', () => {
    const { handler } = failing({ a: 1 });
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const big = (value: string, bytes: number): Given<string> =>
        given(value, { key: 'k', payload: 'x'.repeat(bytes) });
      const source = hot('abc 200ms |', { a: big('a', 60), b: big('b', 60), c: big('c', 40) });
      const out = source.pipe(retryWithBackoff(handler, { ...fixed, scheduler, maxWaitingBytes: 100 }));
      expectDeliveries(out).toBe('-F 98ms (ac) 99ms |', {
        a: 'a',
        c: 'c',
        F: failureWith('overflow', { limit: 100 }),
      });
    });
  });

  it('aborts what is taken back while it runs, without a word, and lets its key go on', () => {
    const signals: AbortSignal[] = [];
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const handle = (value: string, { signal }: AttemptContext): string | Observable<string> => {
        signals.push(signal);
        return value === 'a' ? NEVER : value;
      };
      const source = hot('ab---|', { a: keyed('a', 'k'), b: keyed('b', 'k') });
      at(3, () => ledger.takeBack('a'));
      expectDeliveries(source.pipe(retryWithBackoff(handle, { scheduler }))).toBe('---b-|');
      expectSettled({ acked: '---b', takenBack: 'a' });
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('forgets what is taken back while it waits for its next attempt, and lets its key go on', () => {
    const { handler, calls } = failing({ a: 9 });
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const source = hot('ab---|', { a: keyed('a', 'k'), b: keyed('b', 'k') });
      at(3, () => ledger.takeBack('a'));
      expectDeliveries(source.pipe(retryWithBackoff(handler, { scheduler }))).toBe('---b-|');
      expectSettled({ acked: '---b', takenBack: 'a' });
    });
    expect(calls.get('a')).toBe(1);
  });

  it('forgets what is taken back while it waits for a place for its next attempt', () => {
    const { handler, calls } = failing({ a: 9 });
    deliveryTest(({ hot, scheduler, ledger, at, expectDeliveries, expectSettled }) => {
      const handle = (value: string): Observable<string> =>
        (value === 'a' ? of(0) : timer(200, scheduler)).pipe(map(() => handler(value)));
      const source = hot('abc 250ms |', { a: keyed('a', 'k'), b: keyed('b', 'l'), c: keyed('c', 'k') });
      at(150, () => ledger.takeBack('a'));
      const out = source.pipe(retryWithBackoff(handle, { ...fixed, scheduler, concurrency: 1 }));
      expectDeliveries(out).toBe('201ms b 199ms (c|)');
      expectSettled({ acked: ['201ms b', '401ms c'], takenBack: 'a' });
    });
    expect(calls.get('a')).toBe(1);
  });

  it('aborts and forgets everything when unsubscribed from', () => {
    const signals: AbortSignal[] = [];
    const { handler, calls } = failing({ b: 9 });
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSettled }) => {
      const handle = (value: string, { signal }: AttemptContext): string | Observable<string> => {
        signals.push(signal);
        return value === 'a' ? NEVER : handler(value);
      };
      const source = cold('abc-----', { a: keyed('a', 'k'), b: keyed('b', 'l'), c: keyed('c', 'l') });
      const out = source.pipe(retryWithBackoff(handle, { scheduler, timeoutMs: 1000 }));
      expectDeliveries(out, { subscription: '^----!' }).toBe('-----');
      expectSettled({ takenBack: 'abc' });
    });
    expect(signals[0]?.aborted).toBe(true);
    expect(calls).toEqual(new Map([['b', 1]]));
  });

  it('tells the handler which attempt it is, those before it came here included', () => {
    const attempts: number[] = [];
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const handle = (_: string, { attempt }: AttemptContext): string => {
        attempts.push(attempt);
        if (attempt < 7) throw new Error('not yet');
        return 'done';
      };
      const headers = { [historyHeaders.attempts]: '4' };
      const out = hot('a 400ms |', { a: given('a', { headers }) }).pipe(
        retryWithBackoff(handle, { ...fixed, scheduler }),
      );
      expectDeliveries(out).toBe('300ms x 100ms |', { x: 'done' });
    });
    expect(attempts).toEqual([5, 6, 7]);
  });

  it('lets failures pass at once', () => {
    const { handler } = failing({ a: 1 });
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const out = hot('aF|', { a: 'a', F: givenFailure() }).pipe(
        retryWithBackoff(handler, { ...fixed, scheduler }),
      );
      expectDeliveries(out).toBe('-F 98ms (a|)', { a: 'a', F: failureWith('handle', { stage: 'earlier' }) });
    });
  });

  it.each([
    ['slow', '50ms a 49ms b 99ms c 400ms |', '150ms a 299ms (bc) 147ms |'],
    ['fast', 'abc 600ms |', '100ms a 299ms (bc) 199ms |'],
    ['bursty', '(abc) 600ms |', '100ms a 299ms (bc) 201ms |'],
  ])('keeps the order of a key whose handler fails in front of a %s source', (_, marbles, expected) => {
    const { handler } = failing({ a: 1, b: 2 });
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const source = hot(marbles, { a: keyed('a', 'k'), b: keyed('b', 'k'), c: keyed('c', 'k') });
      const out = source.pipe(retryWithBackoff(handler, { ...fixed, scheduler }));
      expectDeliveries(out).toBe(expected);
    });
  });

  it('takes its time from real promises', async () => {
    const ledger = new SettlementLedger(() => 0);
    const calls: string[] = [];
    const handle = async (value: string, { signal }: AttemptContext): Promise<string> => {
      await Promise.resolve();
      calls.push(value);
      if (calls.filter(call => call === value).length < 3) throw new Error('not yet');
      return signal.aborted ? 'aborted' : value.toUpperCase();
    };
    const source = ['a', 'b', 'c'].map(value =>
      ok(value, messageOf({ key: value === 'c' ? 'l' : 'k' }), ledger.open(value)),
    );
    const out = await lastValueFrom(
      from(source).pipe(retryWithBackoff(handle, { firstDelayMs: 1 }), toArray()),
    );
    for (const delivery of out) delivery[settlement].ack();
    const values = out.map(delivery => (delivery.ok ? delivery.value : delivery.failure.reason));
    expect(values.filter(value => value !== 'C')).toEqual(['A', 'B']);
    expect(values.toSorted()).toEqual(['A', 'B', 'C']);
    expect(ledger.inFlight).toEqual([]);
  });

  it('works off many waiting messages of one key without nesting', () => {
    const { handler } = failing({ '0': 1 });
    let seen = 0;
    deliveryTest(({ scheduler, ledger, at }) => {
      const source = from(
        Array.from({ length: 50_000 }, (_, n) => ok(String(n), messageOf(), ledger.open(String(n)))),
      );
      source.pipe(retryWithBackoff(handler, { ...fixed, scheduler })).subscribe(delivery => {
        seen++;
        delivery[settlement].ack();
      });
      at(99, () => expect(seen).toBe(0));
      at(101, () => expect(seen).toBe(50_000));
    });
  });

  it.each<[RetryOptions, string]>([
    [{ retries: -1 }, 'retryWithBackoff.retries is -1, must be a whole number from 0'],
    [{ timeoutMs: 0 }, 'retryWithBackoff.timeoutMs is 0, must be a number from 1'],
    [{ concurrency: 0 }, 'retryWithBackoff.concurrency is 0'],
    [{ maxWaiting: -1, name: 'save' }, 'save.maxWaiting is -1'],
    [{ maxWaitingBytes: 0.5 }, 'retryWithBackoff.maxWaitingBytes is 0.5'],
    [{ firstDelayMs: -1 }, 'retryWithBackoff.firstDelayMs is -1'],
    [{ factor: 0.5 }, 'retryWithBackoff.factor is 0.5'],
  ])('refuses %j when it is made', (options, problem) => {
    expect(() => retryWithBackoff(() => 1, options)).toThrow(OptionError);
    expect(() => retryWithBackoff(() => 1, options)).toThrow(problem);
  });
});
