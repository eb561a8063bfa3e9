import * as t from 'io-ts';
import { field } from './field.ts';
import { taggedBy } from './tagged.ts';
import { between, ByteSize, Duration, integerIn, nonEmptyList, oneOf, Text, textLike } from './values.ts';

/** Where a secret is: never itself, for these files are copied and kept. */
export type SecretPlace = { readonly env: string } | { readonly file: string };

/** Who asks, and how it is proved. */
export type SaslSettings =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      /** A name is no secret. */
      readonly username: string | SecretPlace;
      readonly password: SecretPlace;
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: SecretPlace };

/** The authority to trust, and the client's certificate and key, as PEM. */
export interface TlsSettings {
  readonly ca?: SecretPlace;
  readonly cert?: SecretPlace;
  readonly key?: SecretPlace;
}

/** The settings of the bus on a Kafka cluster. */
export interface KafkaBackendSettings {
  readonly brokers: readonly string[];
  readonly driver: 'kafkajs' | 'platformatic';
  readonly clientId: string;
  readonly security?: { readonly tls?: boolean | TlsSettings; readonly sasl?: SaslSettings };
  readonly publishing: {
    readonly acks: 'all' | 'leader' | 'none';
    /** Milliseconds. */
    readonly linger: number;
    readonly batchMessages: number;
    /** Bytes. */
    readonly batchSize: number;
    /** Bytes. */
    readonly bufferSize: number;
    /** Milliseconds. */
    readonly deliveryTimeout: number;
    readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  };
  readonly consuming: {
    /** Milliseconds. */
    readonly sessionTimeout: number;
    /** Milliseconds. */
    readonly rebalanceTimeout: number;
    /** Milliseconds. */
    readonly drain?: number;
    /** Bytes. */
    readonly fetchSize: number;
    /** Bytes. */
    readonly bufferSize: number;
    /** Milliseconds. */
    readonly maxWait: number;
  };
  /** Milliseconds. */
  readonly connectionTimeout: number;
  /** Milliseconds. */
  readonly requestTimeout: number;
}

const address = String.raw`(?:[^\s/:,]+|\[[0-9a-fA-F:]+\]):\d{1,5}`;
const BrokerList = nonEmptyList(
  textLike(new RegExp(`^${address}$`), 'broker, write host:port, for example 127.0.0.1:9092'),
);
const brokersPattern = new RegExp(String.raw`^\s*${address}(?:\s*,\s*${address})*\s*$`);

/** What one environment variable can hold. */
const BrokersText: t.Type<readonly string[], unknown> = new t.Type(
  'text with brokers, write host:port, several with commas between, for example 127.0.0.1:9092,127.0.0.1:9093',
  (u): u is readonly string[] => BrokerList.is(u),
  (u, context) =>
    typeof u === 'string' && brokersPattern.test(u)
      ? t.success(u.split(',').map(broker => broker.trim()))
      : t.failure(u, context),
  t.identity,
);

const isText = (u: unknown): u is string => typeof u === 'string' && u !== '';
const isPlace = (u: unknown): u is SecretPlace => {
  if (!t.UnknownRecord.is(u) || Object.keys(u).length !== 1) return false;
  return isText(u['file']) || (isText(u['env']) && /^[A-Za-z_]\w*$/.test(u['env']));
};
const SecretPlace: t.Type<SecretPlace, unknown> = new t.Type(
  'place of a secret, write {env: NAME} or {file: PATH}: what is secret stays out of this file',
  isPlace,
  (u, context) => (isPlace(u) ? t.success(u) : t.failure(u, context)),
  t.identity,
);

const Password: t.Type<{ readonly username: string | SecretPlace; readonly password: SecretPlace }, unknown> =
  t.type({
    username: field(t.union([Text, SecretPlace]), 'the user'),
    password: field(SecretPlace, 'where the password is'),
  });

const Tls: t.Type<TlsSettings, unknown> = t.partial({
  ca: field(SecretPlace, "the authority to trust instead of the system's"),
  cert: field(SecretPlace, "the client's certificate"),
  key: field(SecretPlace, "the client's key"),
});

const Security: t.Type<NonNullable<KafkaBackendSettings['security']>, unknown> = t.partial({
  tls: field(t.union([t.boolean, Tls]), "true, or certificates other than the system's"),
  sasl: field(
    taggedBy('mechanism', {
      plain: Password,
      'scram-sha-256': Password,
      'scram-sha-512': Password,
      oauthbearer: t.type({ token: field(SecretPlace, 'where the token is, read anew at each connection') }),
    }),
    'who asks',
  ),
});

const Publishing: t.Type<KafkaBackendSettings['publishing'], unknown> = t.type({
  acks: field(oneOf('all', 'leader', 'none'), 'which brokers must have stored a message', 'all'),
  linger: field(between(Duration, '0ms', '60s'), 'how long a message waits for others', '0ms'),
  batchMessages: field(integerIn(1, 100_000), 'messages of a partition in one batch at most', 1000),
  batchSize: field(between(ByteSize, '1KB', '64MB'), 'bytes of a partition in one batch at most', '256KB'),
  bufferSize: field(
    between(ByteSize, '64KB', '16GB'),
    'bytes that wait at most; past them publish is refused',
    '32MB',
  ),
  deliveryTimeout: field(
    between(Duration, '100ms', '1h'),
    'how long a message is tried to be stored, then publish fails',
    '30s',
  ),
  compression: field(
    oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    'snappy needs the package snappy, lz4 the package lz4-napi',
    'none',
  ),
});

const Consuming: t.Type<KafkaBackendSettings['consuming'], unknown> = t.intersection([
  t.type({
    sessionTimeout: field(
      between(Duration, '1s', '1h'),
      'after how long without a sign of life the group gives a member up',
      '30s',
    ),
    rebalanceTimeout: field(
      between(Duration, '1s', '1h'),
      'how long a rebalance waits for its members',
      '60s',
    ),
    fetchSize: field(between(ByteSize, '1KB', '1GB'), 'bytes asked of a partition at once', '1MB'),
    bufferSize: field(
      between(ByteSize, '64KB', '16GB'),
      'bytes that a source holds read and not delivered',
      '16MB',
    ),
    maxWait: field(between(Duration, '0ms', '60s'), 'how long a broker waits for something to come', '250ms'),
  }),
  t.partial({
    drain: field(
      between(Duration, '0ms', '30m'),
      'how long partitions that go to another member wait for what is in hand of them; at most half of sessionTimeout, without it 5s or a third of that',
    ),
  }),
]);

/** The settings of kind `kafka`. */
export const KafkaBackendSettings: t.Type<KafkaBackendSettings, unknown> = t.intersection([
  t.type({
    brokers: field(t.union([BrokerList, BrokersText]), 'where to begin; the others are learned from these'),
    driver: field(
      oneOf('kafkajs', 'platformatic'),
      'the client that speaks with the brokers; platformatic needs the package @platformatic/kafka',
      'kafkajs',
    ),
    clientId: field(Text, "how this process is called in the brokers' logs and quotas", 'cryptorun'),
    publishing: field(Publishing, 'how messages are gathered and stored', {}),
    consuming: field(Consuming, 'how messages are read, and groups kept', {}),
    connectionTimeout: field(between(Duration, '10ms', '10m'), 'how long to wait for a connection', '5s'),
    requestTimeout: field(between(Duration, '10ms', '10m'), 'how long a broker may take to answer', '30s'),
  }),
  t.partial({ security: field(Security, 'TLS and SASL; without it neither') }),
]);
