import type { SchedulerLike } from 'rxjs';
import type { Compression } from './driver.ts';
import type { KafkaSecurity } from './kafka-security.ts';

/** Options of the kind `kafka`. */
export interface KafkaOptions {
  /** Where to begin: `host:port`, at least one; the others are learned from it. */
  readonly brokers: readonly string[];
  /**
   * The client that speaks with the brokers; default `kafkajs`. `platformatic` needs the package @platformatic/kafka:
   * it publishes faster, and members of a group go on reading while partitions are shared out anew. All members of a
   * group use the same.
   */
  readonly driver?: KafkaDriverName;
  /** How this process is called in the broker's logs and quotas; default `cryptorun`. */
  readonly clientId?: string;
  /** TLS and SASL; default: neither. */
  readonly security?: KafkaSecurity;
  readonly publishing?: PublishingOptions;
  readonly consuming?: ConsumingOptions;
  /** How long to wait for a connection, ms; default 5000. */
  readonly connectionTimeoutMs?: number;
  /** How long a broker may take to answer, ms; default 30 000. */
  readonly requestTimeoutMs?: number;
  /** The clock and timers of what waits here (commits, redelivery); default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

export type KafkaDriverName = 'kafkajs' | 'platformatic';

/** How messages are gathered and stored. */
export interface PublishingOptions {
  /** Which brokers must have stored a message before it counts as published; default `all`. */
  readonly acks?: 0 | 1 | 'all';
  /** Whether what is sent again is stored once; default true, with `acks: 'all'` only. */
  readonly idempotent?: boolean;
  /** How long a message may wait for others to be sent with it, ms; default 0: only while others are under way. */
  readonly lingerMs?: number;
  /** Messages of one partition in one batch at most; default 1000. */
  readonly batchMessages?: number;
  /** Bytes of one partition in one batch at most; default 256 KiB. */
  readonly batchBytes?: number;
  /** Bytes that wait in memory at most; past them `buffer-full`. Default 32 MiB. */
  readonly bufferBytes?: number;
  /** How long a message is tried to be stored, ms; then `publish-timeout`. Default 30 000. */
  readonly deliveryTimeoutMs?: number;
  /** Default `none`; `snappy` needs the package snappy, `lz4` the package lz4-napi. */
  readonly compression?: Compression;
}

/** How messages are read, and groups kept. */
export interface ConsumingOptions {
  /** After how long without a sign of life the group gives a member up, ms; default 30 000. */
  readonly sessionTimeoutMs?: number;
  /** How often a member gives one, ms; default a tenth of the session time-out. */
  readonly heartbeatIntervalMs?: number;
  /** How long a rebalance waits for its members, ms; default 60 000. */
  readonly rebalanceTimeoutMs?: number;
  /**
   * How long a member that gives partitions up waits for what is in hand of them, ms; what is not done by then is
   * dropped, and comes again to whoever has them next. At most half of the session time-out: until then the member
   * gives no sign of life. Default 5000, or a third of the session time-out where that is less.
   */
  readonly drainMs?: number;
  /** Bytes asked of one partition at once; default 1 MiB. */
  readonly fetchBytes?: number;
  /** Bytes that one source holds read and not delivered, over all partitions; default 16 MiB. */
  readonly bufferBytes?: number;
  /** How long a broker waits for something to come, ms; default 250. */
  readonly maxWaitMs?: number;
}
