import { describe, expect, it } from 'vitest';
import { tapValues } from '../../operators/tap-values.ts';
import { deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('tapValues', {
  make: () => tapValues(() => undefined),
  makeThrowing: (_, error) =>
    tapValues(() => {
      throw error;
    }),
});

describe('tapValues', () => {
  it('shows value and message, and passes the value on whatever the function returns', () => {
    const seen: unknown[] = [];
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot('-a-b|', { a: given(1, { key: 'x' }), b: given(2, { key: 'y' }) });
      const look = tapValues<number>((n, { key }) => seen.push([n, key]));
      expectDeliveries(source.pipe(look)).toBe('-a-b|', { a: 1, b: 2 });
    });
    expect(seen).toEqual([
      [1, 'x'],
      [2, 'y'],
    ]);
  });

  it('names its failures', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const thrower = (name?: string): ReturnType<typeof tapValues<string>> =>
        tapValues(
          () => {
            throw new Error('x');
          },
          { scheduler, ...(name !== undefined && { name }) },
        );
      expectDeliveries(hot('-a|').pipe(thrower())).toBe('-F|', {
        F: failureWith('handle', { stage: 'tapValues' }),
      });
      expectDeliveries(hot('-a|').pipe(thrower('look'))).toBe('-F|', {
        F: failureWith('handle', { stage: 'look' }),
      });
    });
  });
});
