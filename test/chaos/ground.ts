import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { createEventBus } from '../../src/backends.ts';
import { loadSettings } from '../../src/cli/settings.ts';
import { ensureTopic } from '../../src/runtime/ensure-topic.ts';
import { defaultVersion } from '../brokers/kafka/artifacts.ts';
import { type KafkaCluster, startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../brokers/kafka/server-properties.ts';
import { type Outcome, readOutcome } from './outcome.ts';
import { writeRecordedDays } from './recorded-days.ts';

const configs = fileURLToPath(new URL('../../configs', import.meta.url));
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const pollMs = 500;
const clearTimeoutMs = 60_000;

export interface GroundPlan {
  readonly brokers: number;
  /** Of Kafka; default the newest. */
  readonly version?: string;
  /** Ways for clients into the cluster, one a worker. */
  readonly lines: number;
  readonly symbols: readonly string[];
  readonly days: number;
  /** Of each topic at most: what brokers do for a message grows with the partitions of all topics. */
  readonly partitions: number;
}

/** What runs have in common: recorded days, what one process makes of them that nothing happens to, and brokers. */
export class ChaosGround {
  /** A feed. */
  readonly feed: string;
  readonly wanted: Outcome;
  readonly kafka: KafkaCluster;
  /** Where brokers keep what they hold. */
  readonly brokerFolder: string;
  readonly #folder: string;
  readonly #partitions: number;

  static async open(plan: GroundPlan): Promise<ChaosGround> {
    const { brokers, version = defaultVersion, lines, symbols, days, partitions } = plan;
    const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
    const feed = join(folder, 'feed');
    mkdirSync(feed);
    writeRecordedDays(feed, symbols, days);
    const wanted = await calmRun(feed, join(folder, 'calm'));
    const brokerFolder = mkdtempSync(join(tmpdir(), 'chaos-brokers-'));
    const properties = quickFailover;
    const kafka = await startKafka({ brokers, version, lines, properties, folder: brokerFolder });
    const ground = new ChaosGround({ feed, wanted, kafka, brokerFolder }, folder, partitions);
    await ground.#createTopics();
    return ground;
  }

  private constructor(
    parts: Pick<ChaosGround, 'feed' | 'wanted' | 'kafka' | 'brokerFolder'>,
    folder: string,
    partitions: number,
  ) {
    this.feed = parts.feed;
    this.wanted = parts.wanted;
    this.kafka = parts.kafka;
    this.brokerFolder = parts.brokerFolder;
    this.#folder = folder;
    this.#partitions = partitions;
  }

  /** Empties the brokers: topics are made anew, and groups are forgotten. */
  async clear(): Promise<void> {
    await this.#deleteAll();
    await this.#createTopics();
  }

  async #createTopics(): Promise<void> {
    const bus = createEventBus({ kind: 'kafka', brokers: this.kafka.bootstrap });
    await bus.start();
    try {
      for (const { name, settings } of loadSettings(configs).topics) {
        const partitions = Math.min(settings.partitions, this.#partitions);
        await ensureTopic(bus, { name, settings: { ...settings, partitions } });
      }
    } finally {
      await bus.stop();
    }
  }

  async #deleteAll(): Promise<void> {
    const kafka = new Kafka({ brokers: [...this.kafka.bootstrap], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const groups = async (): Promise<string[]> =>
      (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    const topics = async (): Promise<string[]> =>
      (await admin.listTopics()).filter(name => !name.startsWith('__'));
    const deadline = Date.now() + clearTimeoutMs;
    try {
      for (;;) {
        const left = [await groups(), await topics()] as const;
        if (left.flat().length === 0) return;
        if (Date.now() > deadline)
          throw new Error(`not deleted in ${clearTimeoutMs} ms: ${left.flat().join(', ')}`);
        // A member that was killed is one until its session ends, and its group is not empty until then.
        await admin.deleteGroups(left[0]).catch(() => undefined);
        await admin.deleteTopics({ topics: left[1] }).catch(() => undefined);
        await wait(pollMs);
      }
    } finally {
      await admin.disconnect();
    }
  }

  /** @param keepBrokers leaves what they hold: it tells more than anybody can print of who wrote what, and how it ended */
  async close({ keepBrokers = false } = {}): Promise<void> {
    await this.kafka.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    if (!keepBrokers) rmSync(this.brokerFolder, { recursive: true, force: true });
  }
}

async function calmRun(feed: string, dir: string): Promise<Outcome> {
  const args = [program, 'start', '--once', '--plain', '--feed', `file:${feed}`, '--dir', dir];
  await promisify(execFile)(process.execPath, args, {
    maxBuffer: 64 * 1024 * 1024,
  });
  const bus = createEventBus({ kind: 'embedded', dir, readOnly: true });
  await bus.start();
  try {
    return await readOutcome(bus);
  } finally {
    await bus.stop();
  }
}
