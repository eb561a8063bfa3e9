import { consuming } from './conformance/consuming.ts';
import type { ConformanceCase } from './conformance/contract.ts';
import { faults } from './conformance/faults.ts';
import { flow } from './conformance/flow.ts';
import { groups } from './conformance/groups.ts';
import { handlers } from './conformance/handlers.ts';
import { lifecycle } from './conformance/lifecycle.ts';
import { publishing } from './conformance/publishing.ts';
import { redelivery } from './conformance/redelivery.ts';
import { retention } from './conformance/retention.ts';
import { topics } from './conformance/topics.ts';
import { transactions } from './conformance/transactions.ts';

export {
  type ConformanceBusOptions,
  type ConformanceCase,
  type ConformanceContext,
  type ConformanceExtra,
  type ConformanceNeed,
  skipReason,
} from './conformance/contract.ts';

/**
 * What every backend must do, as data: run each case in any test framework.
 *
 * @example
 * for (const conformance of busConformance) {
 *   const reason = skipReason(conformance, backends.create({ kind: 'stub' }).capabilities);
 *   if (reason !== undefined) console.log(`${conformance.name}: skipped, ${reason}`);
 * }
 */
export const busConformance: readonly ConformanceCase[] = [
  ...lifecycle,
  ...topics,
  ...publishing,
  ...consuming,
  ...handlers,
  ...redelivery,
  ...flow,
  ...groups,
  ...transactions,
  ...retention,
  ...faults,
];
