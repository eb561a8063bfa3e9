import type { Cluster } from 'kafkajs';
import { BusError } from '../../../core/publisher.ts';
import { busErrorFrom } from '../protocol-errors.ts';

/** What kafkajs's errors carry; it throws them from untyped code. */
interface ClientError extends Error {
  readonly type?: unknown;
  readonly retriable?: unknown;
  readonly errors?: unknown;
}

/** kafkajs's error as one of ours; see {@link busErrorFrom}. */
export function busErrorOf(error: unknown, doing: string, right?: string): BusError {
  const cause = first(error);
  if (cause instanceof BusError) return cause;
  const failure = {
    type: typeOf(cause),
    text: cause.message || cause.name,
    isAuthentication: cause.name === 'KafkaJSSASLAuthenticationError',
    cause: error,
  };
  return busErrorFrom(failure, doing, right);
}

/** A connection that was closed is not used again. */
export function forgetClosed(cluster: Pick<Cluster, 'removeBroker'>, error: unknown): void {
  const closed = first(error);
  if (closed.name !== 'KafkaJSConnectionClosedError') return;
  const { host, port } = closed as ClientError & { readonly host?: string; readonly port?: number };
  if (host !== undefined && port !== undefined) cluster.removeBroker({ host, port });
}

/**
 * Whether the broker was not reached, or did not answer. To find one, kafkajs asks for all topics, and finds none where
 * any topic is without a leader.
 */
export function isOfConnection(error: unknown): boolean {
  const { name } = first(error);
  return (
    typeOf(error) === 'LEADER_NOT_AVAILABLE' ||
    name.startsWith('KafkaJSConnection') ||
    name === 'KafkaJSRequestTimeoutError' ||
    name === 'KafkaJSBrokerNotFound' ||
    name === 'KafkaJSNumberOfRetriesExceeded' ||
    name === 'KafkaJSGroupCoordinatorNotFound'
  );
}

/** Names that the protocol has given up since, as kafkajs still tells them. */
const currentNames: Readonly<Record<string, string>> = {
  NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
  GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
};

/** The protocol's name of the error, where it has one. */
export function typeOf(error: unknown): string | undefined {
  const { type } = first(error);
  return typeof type === 'string' ? (currentNames[type] ?? type) : undefined;
}

/** What kafkajs wraps an error in that it does not try again, or not any more. */
const wrappers: ReadonlySet<string> = new Set(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSNonRetriableError']);

/** Of an error that gathers several, the first; of one that was given up, why. */
function first(error: unknown): ClientError {
  if (!(error instanceof Error)) return new Error(String(error));
  const { errors, cause } = error as ClientError;
  if (Array.isArray(errors) && errors[0] instanceof Error) return first(errors[0]);
  return wrappers.has(error.name) && cause instanceof Error ? first(cause) : error;
}
