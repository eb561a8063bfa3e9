import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { createEventBus } from '../backends.ts';
import type { EventBus } from '../bus/event-bus.ts';
import type { KafkaOptions } from '../bus/kafka/kafka-options.ts';
import type { KafkaSasl, KafkaSecurity } from '../bus/kafka/kafka-security.ts';
import { readSecret } from '../bus/kafka/secrets.ts';
import { type BackendConfig, loadBackends, shippedBackends } from '../config/backends.ts';
import type { KafkaBackendSettings, SaslSettings } from '../config/kafka-backend.ts';
import { knownNames } from '../config/nearest-name.ts';
import { BusError } from '../core/publisher.ts';
import { CliError } from './cli-error.ts';
import { configError } from './settings.ts';

/** The settings of a backend by its name in `stream/backends.yaml`. */
export function backendNamed(name: string, configDir: string): BackendConfig {
  const file = join(configDir, 'stream/backends.yaml');
  const loaded = loadBackends(file, shippedBackends, process.env);
  if (isLeft(loaded)) throw configError(loaded.left);
  const { backends } = loaded.right;
  const backend = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (backend !== undefined) return backend;
  throw new CliError(2, `${file} has no backend "${name}", ${knownNames(name, Object.keys(backends))}`);
}

/** The bus that settings describe, not started. */
export function busOf(backend: BackendConfig): EventBus {
  if (backend.kind === 'kafka') return createEventBus({ kind: 'kafka', ...kafkaOptions(backend) });
  const { publishTimeout, maintenanceInterval, ...limits } = backend;
  const common = { ...limits, publishTimeoutMs: publishTimeout, maintenanceIntervalMs: maintenanceInterval };
  if (backend.kind === 'stub') return createEventBus({ ...common, kind: 'stub' });
  const { dir, fsync, fsyncInterval, segmentSize } = backend;
  return createEventBus({
    ...common,
    kind: 'embedded',
    dir,
    fsync,
    fsyncIntervalMs: fsyncInterval,
    segmentBytes: segmentSize,
  });
}

/** Starts a bus on a cluster. @throws CliError with what to do where no broker can be reached */
export async function startReachable(bus: EventBus): Promise<void> {
  try {
    await bus.start();
  } catch (cause) {
    if (!(cause instanceof BusError) || cause.code !== 'unavailable') throw cause;
    throw new CliError(
      1,
      `${cause.message}\nThe backend's "brokers" say where they are, in the shipped file KAFKA_BROKERS=host:port,host:port; in a clone "npm run broker:kafka" starts one`,
      { cause },
    );
  }
}

/** Left out in the settings: what follows from others (idempotent sends, heartbeats). */
function kafkaOptions({ publishing, consuming, security, ...settings }: KafkaBackendSettings): KafkaOptions {
  const { brokers, driver, clientId, connectionTimeout, requestTimeout } = settings;
  return {
    brokers,
    driver,
    clientId,
    ...(security !== undefined && { security: securityOf(security) }),
    publishing: {
      acks: acks[publishing.acks],
      lingerMs: publishing.linger,
      batchMessages: publishing.batchMessages,
      batchBytes: publishing.batchSize,
      bufferBytes: publishing.bufferSize,
      deliveryTimeoutMs: publishing.deliveryTimeout,
      compression: publishing.compression,
    },
    consuming: {
      sessionTimeoutMs: consuming.sessionTimeout,
      rebalanceTimeoutMs: consuming.rebalanceTimeout,
      ...(consuming.drain !== undefined && { drainMs: consuming.drain }),
      fetchBytes: consuming.fetchSize,
      bufferBytes: consuming.bufferSize,
      maxWaitMs: consuming.maxWait,
    },
    connectionTimeoutMs: connectionTimeout,
    requestTimeoutMs: requestTimeout,
  };
}

const acks = { all: 'all', leader: 1, none: 0 } as const;

function securityOf({ tls, sasl }: NonNullable<KafkaBackendSettings['security']>): KafkaSecurity {
  return { ...(tls !== undefined && { tls }), ...(sasl !== undefined && { sasl: saslOf(sasl) }) };
}

function saslOf(sasl: SaslSettings): KafkaSasl {
  if (sasl.mechanism !== 'oauthbearer') return sasl;
  const { mechanism, token } = sasl;
  return { mechanism, token: () => Promise.resolve(readSecret('security.sasl.token', token)) };
}
