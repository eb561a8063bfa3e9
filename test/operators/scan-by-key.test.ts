import { describe, expect, it } from 'vitest';
import { scanByKey } from '../../operators/scan-by-key.ts';
import { OptionError } from '../../src/core/option.ts';
import { MemoryKeyedState } from '../../src/core/memory-keyed-state.ts';
import { memoryStateStore, type StateStore, jsonState } from '../../src/core/state.ts';
import { deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

interface Sum {
  total: number;
}

const codec = jsonState<Sum>('1', json => json as Sum);
const seed = (): Sum => ({ total: 0 });
const add = (state: Sum, n: number): readonly number[] => {
  state.total += n;
  return [state.total];
};

operatorContract('scanByKey', {
  make: () => scanByKey((_: Sum, letter: string) => [letter], { seed, codec }),
  makeThrowing: (_, error) =>
    scanByKey<string, Sum, string>(
      () => {
        throw error;
      },
      { seed, codec },
    ),
});

operatorContract('scanByKey whose key throws', {
  make: () => scanByKey((_: Sum, letter: string) => [letter], { seed, codec }),
  makeThrowing: (_, error) =>
    scanByKey((_: Sum, letter: string) => [letter], {
      seed,
      codec,
      key: () => {
        throw error;
      },
    }),
});

/** A store that a test can look into. */
function openStore(): { store: StateStore; states: MemoryKeyedState<unknown>; names: string[] } {
  const states = new MemoryKeyedState<unknown>();
  const names: string[] = [];
  const store: StateStore = {
    keyed: <S>(name: string) => {
      names.push(name);
      return states as unknown as MemoryKeyedState<S>;
    },
    attempts: name => memoryStateStore().attempts(name),
  };
  return { store, states, names };
}

const keyed = (
  n: number,
  key: string | null,
  rest: { partition?: number; timestamp?: number } = {},
): ReturnType<typeof given<number>> => given(n, { key, ...rest });

describe('scanByKey', () => {
  it('keeps a state per key', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('-a-b-c-d|', {
        a: keyed(1, 'x'),
        b: keyed(5, 'y'),
        c: keyed(2, 'x'),
        d: keyed(7, null),
      });
      expectDeliveries(source.pipe(scanByKey(add, { seed, codec }))).toBe('-a-b-c-d|', {
        a: 1,
        b: 5,
        c: 3,
        d: 7,
      });
      expectSettled({ acked: '-a-b-c-d' });
    });
  });

  it('acks what gives no output, and what gives several with the last', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const step = (_: Sum, n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
      const out = hot('-a-b---|', { a: 0, b: 2 }).pipe(scanByKey(step, { seed, codec }));
      expectDeliveries(out).toBe('---(xy)|', { x: 0, y: 1 });
      expectSettled({ acked: '-a-b' });
    });
  });

  it('keeps the state of each partition apart, or one over all', () => {
    const inputs = { a: keyed(1, 'x', { partition: 0 }), b: keyed(2, 'x', { partition: 1 }) };
    deliveryTest(({ hot, expectDeliveries }) => {
      expectDeliveries(hot('-a-b|', inputs).pipe(scanByKey(add, { seed, codec }))).toBe('-a-b|', {
        a: 1,
        b: 2,
      });
    });
    deliveryTest(({ hot, expectDeliveries }) => {
      const one = scanByKey(add, { seed, codec, scope: 'pipeline' });
      expectDeliveries(hot('-a-b|', inputs).pipe(one)).toBe('-a-b|', { a: 1, b: 3 });
    });
  });

  it('takes the key from the function where there is one', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot('-a-b-c|', { a: 1, b: 2, c: 3 });
      const odd = scanByKey(add, { seed, codec, key: n => String(n % 2) });
      expectDeliveries(source.pipe(odd)).toBe('-a-b-c|', { a: 1, b: 2, c: 4 });
    });
  });

  it('makes a failure of what the step throws, and keeps the state as the step left it', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const checked = (state: Sum, n: number): readonly number[] => {
        if (n < 0) throw new Error('negative');
        return add(state, n);
      };
      const source = hot('-a-b-c|', { a: keyed(1, 'x'), b: keyed(-1, 'x'), c: keyed(2, 'x') });
      const out = source.pipe(scanByKey(checked, { seed, codec, scheduler, name: 'sum' }));
      expectDeliveries(out).toBe('-a-F-c|', {
        a: 1,
        F: failureWith('handle', { stage: 'sum', reason: 'negative', firstAt: 3 }),
        c: 3,
      });
      expectSettled({ acked: '-a---c', nacked: '---b' });
    });
  });

  it('keeps its state in the store under its name, dirty and touched at event time', () => {
    const { store, states, names } = openStore();
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot('-a-b|', {
        a: keyed(1, 'x', { timestamp: 50 }),
        b: keyed(1, 'x', { timestamp: 40 }),
      });
      expectDeliveries(source.pipe(scanByKey(add, { seed, codec, state: store, name: 'sums' }))).toBe(
        '-a-b|',
        {
          a: 1,
          b: 2,
        },
      );
    });
    expect(names).toEqual(['sums']);
    expect(states.get(0, 'x')).toMatchObject({ state: { total: 2 }, dirty: true, touchedAt: 50 });
  });

  it('forgets keys that were not touched for long, by event time', () => {
    const { store, states } = openStore();
    deliveryTest(({ hot, expectDeliveries, at }) => {
      const source = hot('-a-b-c-d|', {
        a: keyed(1, 'x', { timestamp: 0 }),
        b: keyed(1, 'y', { timestamp: 90 }),
        c: keyed(1, 'y', { timestamp: 100 }),
        d: keyed(1, 'x', { timestamp: 120 }),
      });
      const out = source.pipe(scanByKey(add, { seed, codec, state: store, expireAfterMs: 100 }));
      expectDeliveries(out).toBe('-a-b-c-d|', { a: 1, b: 1, c: 2, d: 1 });
      at(1, () => expect(states.size).toBe(1));
      at(8, () => expect(states.size).toBe(2));
    });
  });

  it('refuses an expiry out of range when it is made', () => {
    expect(() => scanByKey(add, { seed, codec, expireAfterMs: 0 })).toThrow(OptionError);
  });
});
