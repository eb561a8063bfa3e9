import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defaultVersion, kafkaJars } from './artifacts.ts';
import { runBroker, type KafkaBroker } from './broker-process.ts';
import { prepareStorage, type BrokerSettings } from './broker-storage.ts';
import { classArchiveOptions } from './class-archive.ts';
import { type ClientLine, openLines } from './client-lines.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { nodePorts } from './node-ports.ts';
import { missingForKafka } from './requirements.ts';
import { scramUsers, securityProperties, type KafkaSecurity } from './security.ts';
import { serverProperties, type Properties } from './server-properties.ts';

export interface KafkaOptions {
  /** Nodes, each broker and controller in one; 1 by default. */
  readonly brokers?: number;
  readonly version?: string;
  /** Where clients connect to the first broker, to the others at the ports after it; free ones by default. */
  readonly port?: number;
  /** Keeps the data there, and goes on with what is there, users of SCRAM too; a temporary folder by default. */
  readonly folder?: string;
  /** None by default. */
  readonly security?: KafkaSecurity;
  /** Settings of the brokers that come before the usual ones. */
  readonly properties?: Properties;
  /** So many further ways for clients into the cluster, each with a network that can fail on its own; default 0. */
  readonly lines?: number;
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

/** Of those that Java has it stops a broker with a small heap, on cores that it shares, for the shortest. */
const collector = '-XX:+UseParallelGC';
/** Several brokers that live for minutes, on cores that they share, spend more on compiling well than that saves. */
const ofSeveral = ['-Xmx384m', '-XX:TieredStopAtLevel=1'];

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
    const { settings, certificates, lines } = await brokerSettings(options, { jars, classArchive }, folder);
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

async function brokerSettings(
  options: KafkaOptions,
  java: Pick<BrokerSettings, 'jars' | 'classArchive'>,
  folder: string,
): Promise<{
  settings: BrokerSettings[];
  certificates: Certificates | undefined;
  lines: readonly ClientLine[];
}> {
  const { brokers: count = 1, security = {}, properties } = options;
  await mkdir(folder, { recursive: true });
  const before = (await readdir(folder)).filter(name => /^broker-\d+$/.test(name)).length;
  if (before > 0 && before !== count)
    throw new Error(`${folder} holds the data of ${before} brokers, not ${count}`);
  const names = (security.users ?? []).map(({ name }) => name);
  const certificates =
    security.tls === undefined ? undefined : await makeCertificates(join(folder, 'tls'), names);
  const nodes = await nodePorts(count, options.port);
  const { lines, propertiesOf } = await openLines(options.lines ?? 0, count);
  const settings = nodes.map(({ client }, at) => {
    const own = join(folder, `broker-${at + 1}`);
    const usual = {
      ...serverProperties(at + 1, nodes, own),
      ...securityProperties(security, certificates),
    };
    return {
      address: `127.0.0.1:${client}`,
      folder: own,
      temporary: options.folder === undefined ? folder : undefined,
      ...java,
      heap: [collector, ...(count === 1 ? ['-Xms256m', '-Xmx512m'] : ofSeveral)],
      properties: { ...usual, ...propertiesOf(at, usual), ...properties },
    };
  });
  return { settings, certificates, lines };
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
