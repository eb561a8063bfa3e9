import { type Observable, type SchedulerLike, map, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import type { RetryOptions } from '../../operators/retry-options.ts';
import { retryWithBackoff } from '../../operators/retry-with-backoff.ts';
import type { MessageHeaders } from '../../src/core/headers.ts';
import { historyHeaders } from '../../src/core/message-history.ts';
import { OptionError } from '../../src/core/option.ts';
import { retryHeaders } from '../../src/core/retry-message.ts';
import { memoryStateStore } from '../../src/core/state.ts';
import {
  FakePublisher,
  type Given,
  RecordingMeter,
  deliveryTest,
  failureWith,
  given,
  givenFailure,
} from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('retryWithBackoff through a topic', {
  make: ({ scheduler, publisher }) =>
    retryWithBackoff((letter: string) => letter, {
      scheduler,
      through: { publisher, state: memoryStateStore() },
    }),
});

const fails = (value: string): string => {
  if (value.startsWith('!')) throw new Error(`no ${value}`);
  return value;
};
const keyed = (value: string, key: string | null, offset: number): Given<string> =>
  given(value, { topic: 'orders', key, offset, payload: value });

const fixed = { jitter: 'none', name: 'save' } as const;

/** The options by topic in the order of keys. */
const inOrder = (publisher: FakePublisher, scheduler: SchedulerLike, maxParkedPerKey = 10): RetryOptions => ({
  ...fixed,
  scheduler,
  through: { publisher, state: memoryStateStore(), maxParkedPerKey },
});
const payloads = ({ stored }: FakePublisher): readonly string[] =>
  stored.map(({ payload }) => String(payload));

/** A message of the key `k` as it comes back, behind everything else. */
const back = (value: string, offset: number, rounds = 1): Given<string> =>
  given(value, backFrom(offset, rounds));
const backFrom = (
  offset: number,
  rounds = 1,
): { readonly key: string; readonly headers: Readonly<Record<string, string>> } => ({
  key: 'k',
  headers: {
    [historyHeaders.originTopic]: 'orders',
    [historyHeaders.originPartition]: '0',
    [historyHeaders.originOffset]: String(offset),
    [historyHeaders.retries]: '1',
    [historyHeaders.rounds]: String(rounds),
  },
});

const numbers = (headers: MessageHeaders, ...names: string[]): readonly number[] =>
  names.map(name => Number(headers.get(name)));

describe('retryWithBackoff through a topic', () => {
  it('stores what failed with what it has been through, and acks it then', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ pipeline: 'p', latencyMs: 3, scheduler });
      const source = hot('-ab|', {
        a: given('!a', { topic: 'orders', partition: 2, offset: 9, key: 'k', headers: { own: 'x' } }),
        b: keyed('b', 'l', 10),
      });
      const out = source.pipe(retryWithBackoff(fails, { ...inOrder(publisher, scheduler), meter }));
      expectDeliveries(out).toBe('--b-|');
      at(5, () => {
        const [stored] = publisher.storedIn('cryptorun-retry');
        expect(stored).toMatchObject({ key: 'k', timestamp: 1 });
        const headers = stored?.headers ?? expect.fail('nothing is stored');
        expect(headers.get('own')).toBe('x');
        expect(headers.get(retryHeaders.pipeline)).toBe('p');
        expect(headers.get(retryHeaders.topic)).toBe('orders');
        const { originPartition, originOffset, attempts, retries } = historyHeaders;
        expect(numbers(headers, retryHeaders.partition, originPartition, originOffset)).toEqual([2, 2, 9]);
        expect(numbers(headers, attempts, retries, retryHeaders.due)).toEqual([1, 1, 101]);
      });
      expectSettled({ acked: '--b-a' });
    });
    expect(meter.count('stream_retries_total', { stage: 'save' })).toBe(1);
  });

  it('waits longer each round, and passes the failure on after the last', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const round = (rounds: number): Given<string> =>
        given('!x', {
          headers: { [historyHeaders.retries]: String(rounds), [historyHeaders.attempts]: '7' },
        });
      const source = hot('abcd|', { a: round(0), b: round(1), c: round(2), d: round(3) });
      const out = source.pipe(
        retryWithBackoff(fails, {
          ...fixed,
          scheduler,
          order: 'none',
          through: { publisher, topic: 'later' },
        }),
      );
      expectDeliveries(out).toBe('---F|', { F: failureWith('handle', { attempts: 1, reason: 'no !x' }) });
      at(5, () => {
        const due = publisher.storedIn('later').map(({ headers }) => headers.get(retryHeaders.due));
        expect(due).toEqual(['100', '201', '402']);
        expect(publisher.stored[2]?.headers.get(historyHeaders.attempts)).toBe('8');
      });
      expectSettled({ acked: 'abc', nacked: '---d' });
    });
  });

  it('goes on from the wait of the round before, with decorrelated jitter', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries }) => {
      const publisher = new FakePublisher();
      const round = (rounds: number, delayMs: number): Given<string> =>
        given('!x', {
          headers: { [historyHeaders.retries]: String(rounds), [historyHeaders.retryDelay]: String(delayMs) },
        });
      const options = { jitter: 'decorrelated', random: () => 1, maxDelayMs: 60_000, retries: 9 } as const;
      const through = { publisher, topic: 'later' };
      const source = hot('(abc|)', { a: keyed('!a', 'k', 1), b: round(1, 300), c: round(2, 900) });
      const out = source.pipe(retryWithBackoff(fails, { ...options, scheduler, order: 'none', through }));
      expectDeliveries(out).toBe('|');
      at(5, () => {
        const waits = publisher.stored.map(({ headers }) => headers.get(historyHeaders.retryDelay));
        expect(waits).toEqual(['300', '900', '2700']);
        const due = publisher.stored.map(({ headers }) => headers.get(retryHeaders.due));
        expect(due).toEqual(waits);
      });
    });
  });

  it('holds what fails while the topic cannot be reached, and stores it in order', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries }) => {
      const publisher = new FakePublisher();
      publisher.failNext('publish-timeout', 1);
      const source = hot('abc 500ms |', {
        a: keyed('!a', 'k', 1),
        b: keyed('!b', 'k', 2),
        c: keyed('!c', 'l', 3),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe('503ms |');
      at(40, () => expect(publisher.stored).toEqual([]));
      at(501, () => expect(payloads(publisher)).toEqual(['!a', '!b', '!c']));
    });
  });

  it('passes on as a failure what the topic will never take, and lets its key go on', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext('message-too-large');
      const source = hot('ab|', { a: keyed('!a', 'k', 1), b: keyed('b', 'k', 2) });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe('Fb|', {
        F: failureWith('publish', {
          code: 'message-too-large',
          topic: 'cryptorun-retry',
          reason:
            'cryptorun-retry does not take it: told to fail: message-too-large; it had failed with: no !a',
        }),
        b: 'b',
      });
      expectSettled({ nacked: 'a', acked: '-b' });
    });
  });

  it('lets what comes behind a message that goes round go round too, without a failure of its own', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ pipeline: 'p' });
      const source = hot('abcd|', {
        a: keyed('!a', 'k', 1),
        b: keyed('b', 'k', 2),
        c: keyed('c', null, 3),
        d: given('d', { topic: 'orders', partition: 1, key: 'k' }),
      });
      // The same key in another partition has an order of its own.
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe('--cd|');
      at(5, () => {
        expect(payloads(publisher)).toEqual(['!a', 'b']);
        const headers = publisher.stored[1]?.headers ?? expect.fail('nothing is stored');
        expect(numbers(headers, historyHeaders.attempts, historyHeaders.retries)).toEqual([0, 0]);
        // Not before the one in front of it, and not at once.
        expect(numbers(headers, retryHeaders.due)).toEqual([101]);
      });
      expectSettled({ acked: 'abcd' });
    });
  });

  it('handles a message that comes back only when it is the first of its key', () => {
    deliveryTest(({ scheduler, hot, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const source = hot('abcdef|', {
        a: keyed('!a', 'k', 1),
        b: keyed('b', 'k', 2),
        c: back('b', 2),
        d: back('a', 1),
        e: back('b', 2),
        f: keyed('f', 'k', 3),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe('---abf|');
      at(8, () => expect(publisher.stored.length).toBe(3));
      expectSettled({ acked: 'abcdef' });
    });
  });

  it('no longer waits for a message that has failed elsewhere when it came back', () => {
    deliveryTest(({ scheduler, hot, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const source = hot('aFb|', {
        a: keyed('!a', 'k', 1),
        F: givenFailure({}, backFrom(1)),
        b: keyed('b', 'k', 2),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe('-Fb|', {
        F: failureWith('handle', { stage: 'earlier' }),
        b: 'b',
      });
      expectSettled({ acked: 'a-b', nacked: '-F' });
    });
  });

  it('gives up a message that never comes back, once the others have come by often enough', () => {
    deliveryTest(({ scheduler, hot, expectDeliveries }) => {
      const publisher = new FakePublisher();
      const rounds = [1, 2, 3, 4, 5, 6].map(round => [`${round}`, back('b', 2, round)] as const);
      const source = hot('ab123456|', {
        a: keyed('!a', 'k', 1),
        b: keyed('b', 'k', 2),
        ...Object.fromEntries(rounds),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe(
        '-------b|',
        {
          b: 'b',
        },
      );
    });
  });

  it('waits on where another comes by often only because it was stored often', () => {
    deliveryTest(({ scheduler, hot, expectDeliveries }) => {
      const publisher = new FakePublisher();
      const source = hot('abcccccccda|', {
        a: keyed('!a', 'k', 1),
        b: keyed('b', 'k', 2),
        c: back('b', 2),
        d: back('a', 1),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe(
        '---------a-|',
        {
          a: 'a',
        },
      );
    });
  });

  it('lets the others come by soon where the first of their key should be back', () => {
    deliveryTest(({ scheduler, hot, at, expectDeliveries }) => {
      const publisher = new FakePublisher();
      const late = { [historyHeaders.retries]: '2' };
      const source = hot('abc|', {
        a: given('!a', { topic: 'orders', key: 'k', offset: 1, headers: late, payload: '!a' }),
        b: keyed('b', 'k', 2),
        c: back('b', 2),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler)))).toBe('---|');
      at(5, () => {
        const due = publisher.stored.map(({ headers }) => headers.get(retryHeaders.due));
        expect(due).toEqual(['400', '400', '102']);
      });
    });
  });

  it('sends no batch round, which is more than its last message', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const source = hot('ab|', { a: keyed('a', 'k', 1), b: keyed('b', 'l', 2) });
      const failing = (list: readonly string[]): string => fails(`!${list.join()}`);
      const out = source.pipe(
        batch({ count: 2 }, { scheduler }),
        retryWithBackoff(failing, inOrder(publisher, scheduler)),
      );
      expectDeliveries(out).toBe('-F|', {
        F: failureWith('handle', {
          reason: 'no !a,b; and a batch cannot go round through cryptorun-retry: retry its values before it',
        }),
      });
      expectSettled({ nacked: '-(ab)' });
      expect(publisher.stored).toEqual([]);
    });
  });

  it('bounds how many of a key go round', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const source = hot('abc|', {
        a: keyed('!a', 'k', 1),
        b: keyed('b', 'k', 2),
        c: keyed('c', 'k', 3),
      });
      expectDeliveries(source.pipe(retryWithBackoff(fails, inOrder(publisher, scheduler, 2)))).toBe('--F|', {
        F: failureWith('overflow', { limit: 2, stage: 'save', retryable: true }),
      });
      expectSettled({ acked: 'ab', nacked: '--c' });
    });
  });

  it('stays with the message that is tried until it has left', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const source = hot('ab 20ms |', { a: keyed('!a', 'k', 1), b: keyed('b', 'k', 2) });
      const handle = (value: string): Observable<string> =>
        timer(value === '!a' ? 5 : 0, scheduler).pipe(map(() => fails(value)));
      expectDeliveries(source.pipe(retryWithBackoff(handle, inOrder(publisher, scheduler)))).toBe('22ms |');
      at(4, () => expect(publisher.stored).toEqual([]));
      at(6, () => expect(payloads(publisher)).toEqual(['!a', 'b']));
      expectSettled({ acked: '-----(ab)' });
    });
  });

  it.each([
    ['without the name of its pipeline', 'publisher is without a pipeline'],
    ['without state', "state is undefined, must be a state store, or the order must be 'none'"],
    ['with no room for a key', 'maxParkedPerKey is 0'],
  ])('is refused %s', (what, problem) => {
    const publisher = new FakePublisher();
    const state = memoryStateStore();
    const unnamed = { partitionsOf: () => 1, send: () => undefined };
    const make = (): unknown => {
      switch (what) {
        case 'without state':
          // @ts-expect-error the order of keys needs state
          return retryWithBackoff(fails, { ...fixed, through: { publisher } });
        case 'with no room for a key':
          return retryWithBackoff(fails, { ...fixed, through: { publisher, state, maxParkedPerKey: 0 } });
        default:
          return retryWithBackoff(fails, { ...fixed, through: { publisher: unnamed, state } });
      }
    };
    expect(make).toThrow(OptionError);
    expect(make).toThrow(`save.through.${problem}`);
  });
});
