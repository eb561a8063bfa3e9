import { describe, expect, it } from 'vitest';
import { filterValues } from '../../operators/filter-values.ts';
import { RecordingMeter, deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('filterValues that keeps all', {
  make: () => filterValues(() => true),
  makeThrowing: (_, error) =>
    filterValues(() => {
      throw error;
    }),
});

operatorContract('filterValues that keeps none', {
  make: () => filterValues(() => false),
  expected: {
    one: { out: '-----|' },
    many: { out: '-----------|' },
    failure: { out: '-----F-----|' },
    'source error': { out: '-----#' },
    'never ending': { out: '-' },
    'early unsubscribe': { out: '-' },
    'nacked at the end': { out: '--------|', acked: '--a--b', nacked: '' },
  },
});

describe('filterValues', () => {
  it('narrows the type and asks with the message', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<number | string>('-a-b-c|', { a: 1, b: 'two', c: given(3, { key: null }) });
      const numbers = filterValues(
        (value: number | string, { key }): value is number => typeof value === 'number' && key !== null,
      );
      expectDeliveries(source.pipe(numbers)).toBe('-a----|', { a: 1 });
      expectSettled({ acked: '-a-b-c' });
    });
  });

  it('counts what it leaves out under its name', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries }) => {
      const odd = filterValues<number>(n => n % 2 === 1, { name: 'odd', meter });
      expectDeliveries(hot('-a-b-c-F|', { a: 1, b: 2, c: 4 }).pipe(odd)).toBe('-a-----F|', {
        a: 1,
        F: failureWith('handle', { stage: 'earlier' }),
      });
    });
    expect(meter.count('stream_filtered_total', { stage: 'odd' })).toBe(2);
  });
});
