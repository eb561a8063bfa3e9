import { filter, map, mergeMap, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Delivery, type Ok, settlement } from '../../src/core/delivery.ts';
import { type OperatorSubject, operatorCases } from '../../src/testing/index.ts';

/** The names of the cases that the operator fails. */
function failing(make: OperatorSubject<string, string>['make']): string[] {
  return operatorCases({ make }).flatMap(({ name, run }) => {
    try {
      run();
      return [];
    } catch {
      return [name];
    }
  });
}

describe('operatorCases', () => {
  it('finds nothing wrong with an operator that does nothing', () => {
    expect(failing(() => source$ => source$)).toEqual([]);
  });

  it('finds an operator that loses failures', () => {
    const isOk = (delivery: Delivery<string>): delivery is Ok<string> => delivery.ok;
    expect(failing(() => source$ => source$.pipe(filter(isOk)))).toEqual(['failure']);
  });

  it('finds an operator that settles what it passes on', () => {
    const ack = (delivery: Delivery<string>): Delivery<string> => {
      delivery[settlement].ack();
      return delivery;
    };
    expect(failing(() => map(ack))).toEqual(
      expect.arrayContaining(['one', 'many', 'failure', 'never ending', 'nacked at the end']),
    );
  });

  it('finds an operator that passes a delivery on twice', () => {
    expect(failing(() => mergeMap(delivery => of(delivery, delivery)))).toContain('one');
  });
});
