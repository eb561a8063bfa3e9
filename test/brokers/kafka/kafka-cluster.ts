import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defaultVersion, kafkaJars } from './artifacts.ts';
import { runBroker, type KafkaBroker } from './broker-process.ts';
import { prepareStorage, type BrokerSettings } from './broker-storage.ts';
import { classArchiveOptions } from './class-archive.ts';
import type { Certificates } from './certificates.ts';
import type { ClientLine } from './client-lines.ts';
import { type ClusterOptions, clusterSettings } from './cluster-settings.ts';
import { missingForKafka } from './requirements.ts';
import { scramUsers } from './security.ts';

export interface KafkaOptions extends ClusterOptions {
  readonly version?: string;
  /** Hears of each step on the way. */
  readonly report?: (what: string) => void;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface KafkaCluster {
  /** The address of each broker, as host:port. */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly KafkaBroker[];
  /** As many as were asked for. */
  readonly lines: readonly ClientLine[];
  /** With TLS. */
  readonly certificates: Certificates | undefined;
  /** Stops the brokers, and removes their data where it is temporary. */
  stop(): Promise<void>;
}

/** Starts a Kafka of its own on loopback, from artifacts that Maven fetches; resolves when it serves clients. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const {
    version = defaultVersion,
    report = () => undefined,
    signal = new AbortController().signal,
  } = options;
  const missing = await missingForKafka(version);
  if (missing !== undefined) throw new Error(missing);
  const jars = await kafkaJars(version, report, signal);
  const classArchive = await classArchiveOptions(jars, report, signal);
  const kept = options.folder === undefined ? undefined : resolve(options.folder);
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'kafka-')));
  const clean = async (): Promise<void> => {
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const { settings, certificates, lines } = await clusterSettings(options, { jars, classArchive }, folder);
    report('formatting storage');
    const format = { clusterId: newClusterId(), scram: scramUsers(options.security ?? {}) };
    await Promise.all(settings.map(each => prepareStorage(each, format)));
    signal.throwIfAborted();
    report(settings.length === 1 ? 'starting the broker' : `starting ${settings.length} brokers`);
    const brokers = await runAll(settings, signal);
    return {
      bootstrap: brokers.map(({ address }) => address),
      brokers,
      lines,
      certificates,
      async stop() {
        // What is thrown away need not be brought in order first, for seconds.
        await Promise.all(brokers.map(broker => (kept === undefined ? broker.kill() : broker.stop())));
        await Promise.all(lines.flatMap(({ proxies }) => proxies.map(proxy => proxy.close())));
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** Nodes start together, as they wait for each other; where one fails, the others are ended. */
async function runAll(settings: readonly BrokerSettings[], signal: AbortSignal): Promise<KafkaBroker[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const starts = await Promise.allSettled(
    settings.map(each =>
      runBroker(each, either).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const brokers = starts.flatMap(start => (start.status === 'fulfilled' ? [start.value] : []));
  if (failed.signal.aborted) {
    await Promise.all(brokers.map(broker => broker.kill()));
    failed.signal.throwIfAborted();
  }
  return brokers;
}

/** 16 bytes in base64; a leading dash would read as an option of the tool that formats. */
function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('base64url');
}
