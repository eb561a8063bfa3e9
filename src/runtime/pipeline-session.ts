import { randomUUID } from 'node:crypto';
import type { EventBus } from '../bus/event-bus.ts';
import type { TransactionSession } from '../bus/transactions.ts';
import { BusError } from '../core/publisher.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * The session by which a pipeline of this worker makes all that it does visible together, of a name that nobody else
 * has: members fence each other by their group.
 *
 * @throws BusError `unsupported-capability` where the backend has no transactions
 */
export function openSession({ name, options }: Pipeline, bus: EventBus, worker: string): TransactionSession {
  const { transactions, kind } = bus;
  if (transactions === undefined)
    throw new BusError(
      'unsupported-capability',
      `pipeline ${name}: the ${kind} backend has no transactions: use one that has, or another guarantee`,
    );
  const id = `${options.group ?? name}-${worker}-${randomUUID().slice(0, 8)}`;
  const { transactionTimeoutMs: timeoutMs } = options;
  return transactions.open(id, timeoutMs === undefined ? {} : { timeoutMs });
}
