import { BusError, type BusErrorCode } from '../../core/publisher.ts';

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
  INCONSISTENT_GROUP_PROTOCOL: 'invalid-option',
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

const remedies: Partial<Record<BusErrorCode, string>> = {
  'topic-not-found': ': create the topic first',
  'topic-exists': ': use it, or delete it first',
  'invalid-option': ': change the option, or what the brokers allow',
  'invalid-message': ': look at what is published, the same again is refused again',
  'message-too-large': ': make it smaller, or raise maxMessageSize of the topic',
  unauthorized: ': use other credentials',
  unavailable: ': see whether the brokers run and can be reached',
};

const wentOn =
  ': its group has gone on without this member: what is not committed comes again, to whoever has it now';

/** Errors for which there is something better to do than for others of their code. */
const ownRemedies: Readonly<Record<string, string>> = {
  UNKNOWN_MEMBER_ID: wentOn,
  ILLEGAL_GENERATION: wentOn,
  REBALANCE_IN_PROGRESS: wentOn,
  NON_EMPTY_GROUP: ': end its members first',
  INCONSISTENT_GROUP_PROTOCOL:
    ': the group has members that share partitions out in another way, as those of the other driver do: use one driver for all members of a group',
};

/** TLS has no names for what went wrong, on either side. */
const ofCertificates =
  ': let security.tls.ca name the authority that signed the certificate of the brokers, and cert and key one of yours where they ask for it';

/** Whether trying again may help: a broker that says that there is no such topic may not have heard of it yet. */
export function mayPass(error: unknown): error is BusError {
  return error instanceof BusError && (error.retryable || error.code === 'topic-not-found');
}

/** What went wrong, as a client tells it. */
export interface ClientFailure {
  /** The protocol's name of it, where it has one. */
  readonly type: string | undefined;
  readonly text: string;
  /** Whether the broker did not believe who asks. */
  readonly isAuthentication: boolean;
  readonly cause: unknown;
}

/**
 * A client's error as one of ours. What is not known is taken for an outage that may pass: trying again is the lesser
 * mistake.
 *
 * @param doing what was tried, as `publishing to prices`
 * @param right the right that it takes, as `Write on topic prices`
 */
export function busErrorFrom(failure: ClientFailure, doing: string, right?: string): BusError {
  const { type, text, isAuthentication, cause } = failure;
  const code = isAuthentication ? 'unauthorized' : (codes[type ?? ''] ?? 'unavailable');
  const isRefused = code === 'unauthorized' && !isAuthentication && right !== undefined;
  const remedy = isRefused
    ? `: grant ${right} to the user of this client`
    : (ownRemedies[type ?? ''] ?? (/certificate/i.test(text) ? ofCertificates : remedies[code]) ?? '');
  return new BusError(code, `${doing}: ${text.trim()}${remedy}`, { cause });
}
