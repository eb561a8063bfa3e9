import { OptionError, wholeNumber } from '../../core/option.ts';
import type { ConsumingOptions, KafkaDriverName, KafkaOptions, PublishingOptions } from './kafka-options.ts';
import type { KafkaSecurity } from './kafka-security.ts';

/** The options with every default in its place. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly driver: KafkaDriverName;
  readonly clientId: string;
  readonly security: KafkaSecurity;
  readonly publishing: Required<PublishingOptions>;
  readonly consuming: Required<ConsumingOptions>;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

const drivers: readonly string[] = ['kafkajs', 'platformatic'] satisfies KafkaDriverName[];

const kibibyte = 1024;
const mebibyte = 1024 ** 2;
const address = /^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/;

/** @throws OptionError naming the option, its value and its range */
export function settled(options: KafkaOptions): KafkaSettings {
  const { brokers, driver = 'kafkajs', clientId = 'cryptorun', security = {} } = options;
  if (brokers.length === 0) throw new OptionError('kafka.brokers', '[]', 'at least one host:port');
  for (const broker of brokers) {
    if (!address.test(broker)) throw new OptionError('kafka.brokers', broker, 'host:port, as 127.0.0.1:9092');
  }
  if (!drivers.includes(driver)) throw new OptionError('kafka.driver', driver, drivers.join(' or '));
  return {
    brokers,
    driver,
    clientId,
    security,
    publishing: publishingOf(options.publishing ?? {}),
    consuming: consumingOf(options.consuming ?? {}),
    connectionTimeoutMs: wholeNumber('kafka.connectionTimeoutMs', options.connectionTimeoutMs ?? 5000, 1),
    requestTimeoutMs: wholeNumber('kafka.requestTimeoutMs', options.requestTimeoutMs ?? 30_000, 1),
  };
}

function publishingOf(options: PublishingOptions): Required<PublishingOptions> {
  const { acks = 'all', idempotent = acks === 'all', compression = 'none' } = options;
  if (idempotent && acks !== 'all')
    throw new OptionError('publishing.acks', acks, "'all' where it is idempotent");
  return {
    acks,
    idempotent,
    compression,
    lingerMs: wholeNumber('publishing.lingerMs', options.lingerMs ?? 0, 0, 60_000),
    batchMessages: wholeNumber('publishing.batchMessages', options.batchMessages ?? 1000, 1, 100_000),
    batchBytes: wholeNumber('publishing.batchBytes', options.batchBytes ?? 256 * kibibyte, 1),
    bufferBytes: wholeNumber('publishing.bufferBytes', options.bufferBytes ?? 32 * mebibyte, 1),
    deliveryTimeoutMs: wholeNumber('publishing.deliveryTimeoutMs', options.deliveryTimeoutMs ?? 30_000, 1),
  };
}

function consumingOf(options: ConsumingOptions): Required<ConsumingOptions> {
  const sessionTimeoutMs = wholeNumber('consuming.sessionTimeoutMs', options.sessionTimeoutMs ?? 30_000, 100);
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? Math.ceil(sessionTimeoutMs / 10);
  return {
    sessionTimeoutMs,
    heartbeatIntervalMs: wholeNumber(
      'consuming.heartbeatIntervalMs',
      heartbeatIntervalMs,
      1,
      sessionTimeoutMs / 3,
    ),
    rebalanceTimeoutMs: wholeNumber('consuming.rebalanceTimeoutMs', options.rebalanceTimeoutMs ?? 60_000, 1),
    drainMs: wholeNumber(
      'consuming.drainMs',
      options.drainMs ?? Math.min(5000, Math.floor(sessionTimeoutMs / 3)),
      0,
      Math.floor(sessionTimeoutMs / 2),
    ),
    fetchBytes: wholeNumber('consuming.fetchBytes', options.fetchBytes ?? mebibyte, 1),
    bufferBytes: wholeNumber('consuming.bufferBytes', options.bufferBytes ?? 16 * mebibyte, 1),
    maxWaitMs: wholeNumber('consuming.maxWaitMs', options.maxWaitMs ?? 250, 0, 60_000),
  };
}
