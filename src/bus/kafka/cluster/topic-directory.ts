import { setTimeout as wait } from 'node:timers/promises';
import { BusError } from '../../../core/publisher.ts';
import type { TopicSettings } from '../../../core/topic.ts';
import type { KafkaDriver, PartitionMetadata, TopicMetadata } from '../driver.ts';
import { headroomBytes, settingsOf } from './topic-configs.ts';
import { untilLed } from './until-led.ts';

/** What a topic takes. */
export interface TopicLimits {
  /** The largest payload, bytes: as declared here, else what the broker's limit leaves room for. */
  readonly maxMessageBytes: number;
  /** The largest record batch that the broker takes. */
  readonly maxBatchBytes: number;
}

/** What is known of a topic. */
export interface KnownTopic {
  readonly name: string;
  readonly partitions: number;
  /** The node that led each partition when it was last asked about. */
  readonly leaders: readonly (number | undefined)[];
  /** Undefined until they were asked for: that costs a request a topic. */
  readonly limits: TopicLimits | undefined;
}

/** A topic that can be published to. */
export type OpenTopic = KnownTopic & { readonly limits: TopicLimits };

const stepMs = 100;
/** A known topic of which no broker has heard for so long is gone, ms. */
const goneMs = 5_000;

/** The topics of a cluster: what must be known at once is known from here. */
export class TopicDirectory {
  readonly #driver: Pick<KafkaDriver, 'describeTopics' | 'topicConfigs'>;
  readonly #topics = new Map<string, KnownTopic>();
  /** Limits that topics were declared with here; the broker knows only those of whole batches. */
  readonly #declared = new Map<string, number>();
  readonly #learning = new Map<string, Promise<OpenTopic | undefined>>();

  constructor(driver: Pick<KafkaDriver, 'describeTopics' | 'topicConfigs'>) {
    this.#driver = driver;
  }

  /** Learns of every topic there is, without limits. */
  async learnAll(): Promise<void> {
    const all = await this.#driver.describeTopics();
    const known = all.filter(({ name }) => !isInternal(name));
    const names = new Set(known.map(({ name }) => name));
    for (const name of this.#topics.keys()) if (!names.has(name)) this.#topics.delete(name);
    for (const { name, partitions } of known) {
      const limits = this.#topics.get(name)?.limits;
      this.#topics.set(name, { name, partitions: partitions.length, leaders: leadersOf(partitions), limits });
    }
  }

  /**
   * Learns of one topic anew; undefined where it does not exist. One that is known is not gone because a broker has
   * not heard of it yet: brokers are asked until it is unheard of for 5 s, or was deleted here.
   */
  learn(name: string): Promise<OpenTopic | undefined> {
    const running = this.#learning.get(name);
    if (running) return running;
    const learning = this.#learn(name).finally(() => this.#learning.delete(name));
    this.#learning.set(name, learning);
    return learning;
  }

  /** Whether one of these was deleted; while brokers cannot be asked it is not known to be. */
  async hasLost(names: readonly string[]): Promise<boolean> {
    const learnt = await Promise.allSettled(names.map(name => this.learn(name)));
    return learnt.some(each => each.status === 'fulfilled' && each.value === undefined);
  }

  /** Learns of a topic that is there, by what the controller said, with so many partitions at least. */
  async learnMade(name: string, partitions: number): Promise<void> {
    const made = await untilLed(() => this.#driver.describeTopics([name]), partitions);
    if (made) await this.#take(made);
    else this.forget(name);
  }

  declare(name: string, { maxMessageBytes }: TopicSettings): void {
    this.#declared.set(name, maxMessageBytes);
  }

  forget(name: string): void {
    this.#topics.delete(name);
    this.#declared.delete(name);
  }

  clear(): void {
    this.#topics.clear();
  }

  get names(): readonly string[] {
    return [...this.#topics.keys()].sort();
  }

  /** Those that were asked about by name: declared, read from or published to. */
  get used(): readonly string[] {
    return [...this.#topics.values()].filter(isOpen).map(({ name }) => name);
  }

  find(name: string): KnownTopic | undefined {
    return this.#topics.get(name);
  }

  /** @throws BusError `topic-not-found` */
  get(name: string): KnownTopic {
    return this.#topics.get(name) ?? this.#missing(name);
  }

  /** As `get` with limits, and asks the cluster for what is not known yet. */
  async open(name: string): Promise<OpenTopic> {
    return (await this.learn(name)) ?? this.#missing(name);
  }

  async #learn(name: string): Promise<OpenTopic | undefined> {
    for (let unheardMs = 0; ; unheardMs += stepMs) {
      const [metadata] = await this.#driver.describeTopics([name]);
      if (metadata !== undefined) return this.#take(metadata);
      if (unheardMs >= goneMs || !this.#topics.has(name)) break;
      await wait(stepMs);
    }
    this.forget(name);
    return undefined;
  }

  async #take({ name, partitions }: TopicMetadata): Promise<OpenTopic> {
    const configs = await this.#configsOf(name);
    const { maxMessageBytes } = settingsOf(configs, partitions.length, 1);
    const limits = {
      maxMessageBytes: this.#declared.get(name) ?? maxMessageBytes,
      maxBatchBytes: maxMessageBytes + headroomBytes,
    };
    const topic = { name, partitions: partitions.length, leaders: leadersOf(partitions), limits };
    this.#topics.set(name, topic);
    return topic;
  }

  /** Who may publish need not be allowed to see the settings: then Kafka's own limits are taken for granted. */
  async #configsOf(name: string): Promise<ReadonlyMap<string, string>> {
    try {
      return await this.#driver.topicConfigs(name);
    } catch (error) {
      if (error instanceof BusError && error.code === 'unauthorized') return new Map();
      throw error;
    }
  }

  #missing(name: string): never {
    const known = this.names.slice(0, 8).join(', ') || 'none';
    throw new BusError('topic-not-found', `no topic ${name}: create it first (there are: ${known})`);
  }
}

function leadersOf(partitions: readonly PartitionMetadata[]): readonly (number | undefined)[] {
  const leaders: (number | undefined)[] = [];
  for (const { partition, leader } of partitions) leaders[partition] = leader;
  return leaders;
}

/** Topics that the brokers keep for themselves. */
function isInternal(name: string): boolean {
  return name.startsWith('__');
}

/** Whether the topic's limits are known. */
export function isOpen(topic: KnownTopic | undefined): topic is OpenTopic {
  return topic?.limits !== undefined;
}
