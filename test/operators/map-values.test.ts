import { describe, it } from 'vitest';
import { mapValues } from '../../operators/map-values.ts';
import { deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('mapValues', {
  make: () => mapValues((letter: string) => letter.toUpperCase() + '!'),
  makeThrowing: (_, error) =>
    mapValues(() => {
      throw error;
    }),
  outputs: { a: 'A!', b: 'B!', c: 'C!' },
});

describe('mapValues', () => {
  it('shows the message to the function', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot('-a|', { a: given(2, { key: 'BTC-USD', timestamp: 9 }) });
      const out = source.pipe(mapValues((n, { key, timestamp }) => [n, key, timestamp]));
      expectDeliveries(out).toBe('-a|', { a: [2, 'BTC-USD', 9] });
    });
  });

  it('puts name, time and attempt into failures', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const thrower = mapValues<number, number>(
        () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- users do
          throw 'just text';
        },
        { name: 'double', scheduler },
      );
      expectDeliveries(hot('---a|', { a: given(1, { attempt: 4 }) }).pipe(thrower)).toBe('---F|', {
        F: failureWith('handle', {
          stage: 'double',
          reason: 'just text',
          attempts: 4,
          firstAt: 3,
          lastAt: 3,
        }),
      });
      expectSettled({ nacked: '---a' });
    });
  });
});
