import type { Cluster } from 'kafkajs';
import { BusError, type BusErrorCode } from '../../../core/publisher.ts';

/** What kafkajs's errors carry; it throws them from untyped code. */
interface ClientError extends Error {
  readonly type?: unknown;
  readonly retriable?: unknown;
  readonly errors?: unknown;
}

const authenticationError = 'KafkaJSSASLAuthenticationError';

/** Error names of Kafka's protocol that mean something of their own here. */
const codes: Readonly<Record<string, BusErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'topic-not-found',
  TOPIC_ALREADY_EXISTS: 'topic-exists',
  INVALID_TOPIC_EXCEPTION: 'invalid-option',
  INVALID_PARTITIONS: 'invalid-option',
  INVALID_REPLICATION_FACTOR: 'invalid-option',
  INVALID_CONFIG: 'invalid-option',
  INVALID_REQUEST: 'invalid-option',
  POLICY_VIOLATION: 'invalid-option',
  NON_EMPTY_GROUP: 'invalid-option',
  MESSAGE_TOO_LARGE: 'message-too-large',
  RECORD_LIST_TOO_LARGE: 'message-too-large',
  INVALID_RECORD: 'invalid-message',
  CORRUPT_MESSAGE: 'invalid-message',
  TOPIC_AUTHORIZATION_FAILED: 'unauthorized',
  GROUP_AUTHORIZATION_FAILED: 'unauthorized',
  CLUSTER_AUTHORIZATION_FAILED: 'unauthorized',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'unauthorized',
  SASL_AUTHENTICATION_FAILED: 'unauthorized',
};

/**
 * kafkajs's error as one of ours. What is not known is taken for an outage that may pass: trying again is the lesser
 * mistake.
 *
 * @param doing what was tried, as `publishing to prices`
 * @param right the right that it takes, as `Write on topic prices`
 */
export function busErrorOf(error: unknown, doing: string, right?: string): BusError {
  const cause = first(error);
  if (cause instanceof BusError) return cause;
  const code = codeOf(cause);
  const isRefused = code === 'unauthorized' && cause.name !== authenticationError && right !== undefined;
  const remedy = isRefused ? `: grant ${right} to the user of this client` : (remedies[code] ?? '');
  return new BusError(code, `${doing}: ${cause.message || cause.name}${remedy}`, { cause: error });
}

/** A connection that was closed is not used again. */
export function forgetClosed(cluster: Pick<Cluster, 'removeBroker'>, error: unknown): void {
  const closed = first(error);
  if (closed.name !== 'KafkaJSConnectionClosedError') return;
  const { host, port } = closed as ClientError & { readonly host?: string; readonly port?: number };
  if (host !== undefined && port !== undefined) cluster.removeBroker({ host, port });
}

/** The protocol's name of the error, where it has one. */
export function typeOf(error: unknown): string | undefined {
  const { type } = first(error);
  return typeof type === 'string' ? type : undefined;
}

function codeOf(error: ClientError): BusErrorCode {
  if (error.name === authenticationError) return 'unauthorized';
  const known = typeof error.type === 'string' ? codes[error.type] : undefined;
  return known ?? 'unavailable';
}

const remedies: Partial<Record<BusErrorCode, string>> = {
  'topic-not-found': ': create the topic first',
  unauthorized: ': use other credentials',
  unavailable: ': see whether the brokers run and can be reached',
};

/** Of an error that gathers several, the first. */
function first(error: unknown): ClientError {
  if (!(error instanceof Error)) return new Error(String(error));
  const { errors, cause } = error as ClientError;
  if (Array.isArray(errors) && errors[0] instanceof Error) return first(errors[0]);
  // What kafkajs gives up retrying says so, and why in its cause.
  return error.name === 'KafkaJSNumberOfRetriesExceeded' && cause instanceof Error ? first(cause) : error;
}
