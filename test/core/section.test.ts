import { EMPTY, type OperatorFunction, mergeMap, pipe, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fanOut } from '../../operators/fan-out.ts';
import { mapValues } from '../../operators/map-values.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import { type Section, aroundSection } from '../../src/core/section.ts';
import { stagesOf } from '../../src/core/stage.ts';
import { deliveryTest } from '../../src/testing/index.ts';
import { operatorContract } from '../operators/operator-contract.ts';

/** Lets everything in and out. */
const around = <B>(section: Section<string, B>): OperatorFunction<Delivery<string>, Delivery<B>> =>
  aroundSection('around', section, (subscriber, entrance) => ({
    next: delivery => entrance.next(delivery),
    left: delivery => subscriber.next(delivery),
  }));

operatorContract('an operator around a section', { make: () => around(mapValues((x: string) => x)) });

describe('aroundSection', () => {
  it('is drawn before the stages of its section', () => {
    const section = pipe(
      fanOut((x: string) => [x], { name: 'first' }),
      mapValues((x: string) => x, { name: 'second' }),
    );
    expect(stagesOf(EMPTY.pipe(around(section)))).toEqual(['around', 'first', 'second']);
  });

  it('fails with its section, and lets go of the source', () => {
    deliveryTest(({ cold, expectDeliveries, expectSubscriptions, expectSettled }) => {
      const source = cold('--a--|');
      const broken: Section<string, string> = mergeMap(() => throwError(() => 'error'));
      expectDeliveries(source.pipe(around(broken))).toBe('--#');
      expectSubscriptions(source).toBe('^-!');
      expectSettled({ takenBack: 'a' });
    });
  });
});
