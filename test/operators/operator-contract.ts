import { describe, it } from 'vitest';
import { type OperatorSubject, operatorCases } from '../../src/testing/index.ts';

/** Runs the fixed list of cases for an operator. */
export function operatorContract<A, B>(name: string, subject: OperatorSubject<A, B>): void {
  describe(`${name}: the fixed list`, () => {
    for (const { name, run } of operatorCases(subject)) it(name, run);
  });
}
