import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultVersion, kafkaJars } from './artifacts.ts';
import { prepareBroker, runBroker, type BrokerSettings, type KafkaBroker } from './broker-process.ts';
import { freePorts } from './free-ports.ts';
import { missingForKafka } from './requirements.ts';
import { serverProperties, type NodePorts, type Properties } from './server-properties.ts';

export interface KafkaOptions {
  /** Nodes, each broker and controller in one; 1 by default. */
  readonly brokers?: number;
  readonly version?: string;
  /** Settings of the brokers that differ from those of {@link serverProperties}. */
  readonly properties?: Properties;
  /** Hears of each step on the way. */
  readonly report?: (what: string) => void;
}

export interface KafkaCluster {
  /** The address of each broker, as host:port. */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly KafkaBroker[];
  /** Stops the brokers and removes their data. */
  stop(): Promise<void>;
}

/** Starts a Kafka of its own on loopback, from artifacts that Maven fetches; resolves when it serves clients. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const { brokers: count = 1, version = defaultVersion, properties = {}, report = () => undefined } = options;
  const missing = await missingForKafka();
  if (missing !== undefined) throw new Error(missing);
  const jars = await kafkaJars(version, report);
  const folder = await mkdtemp(join(tmpdir(), 'kafka-'));
  const running: KafkaBroker[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map(broker => broker.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const nodes = await nodePorts(count);
    const heap = count === 1 ? ['-Xms256m', '-Xmx512m'] : ['-Xmx384m'];
    const settings = nodes.map(({ client }, at): BrokerSettings => {
      const own = join(folder, `broker-${at + 1}`);
      return {
        address: `127.0.0.1:${client}`,
        folder: own,
        jars,
        heap,
        properties: { ...serverProperties(at + 1, nodes, own), ...properties },
      };
    });
    const clusterId = newClusterId();
    report('formatting storage');
    await Promise.all(
      settings.map(async each => {
        await mkdir(each.folder, { recursive: true });
        await prepareBroker(each, clusterId);
      }),
    );
    report(count === 1 ? 'starting the broker' : `starting ${count} brokers`);
    const started = await Promise.allSettled(settings.map(each => runBroker(each)));
    for (const each of started) if (each.status === 'fulfilled') running.push(each.value);
    for (const each of started) if (each.status === 'rejected') throw each.reason;
  } catch (error) {
    await stop();
    throw error;
  }
  return { bootstrap: running.map(({ address }) => address), brokers: running, stop };
}

async function nodePorts(count: number): Promise<NodePorts[]> {
  const ports = await freePorts(3 * count);
  return Array.from({ length: count }, (_, at) => {
    const [client = 0, internal = 0, controller = 0] = ports.slice(3 * at);
    return { client, internal, controller };
  });
}

/** 16 bytes in base64; a leading dash would read as an option of the tool that formats. */
function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('base64url');
}
