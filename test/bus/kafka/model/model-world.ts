import { isRight } from 'fp-ts/lib/Either.js';
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { decode, publishTo, scanByKey } from '../../../../operators/index.ts';
import { KafkaBus } from '../../../../src/bus/kafka/kafka-bus.ts';
import { messageOf, recordOf } from '../../../../src/bus/kafka/wire-record.ts';
import { Marker, markerMessage } from '../../../../src/core/marker.ts';
import { type OutgoingMessage, messageId } from '../../../../src/core/message.ts';
import type { PartitionOffset } from '../../../../src/bus/kafka/driver.ts';
import { changelogOf } from '../../../../src/runtime/snapshot-format.ts';
import { type Random, randomFrom } from '../../../../src/feeds/simulator/random.ts';
import { type Pipeline, Runtime, jsonState, pipeline, textCodec, topic } from '../../../../src/index.ts';
import { passTime } from '../../../passing-time.ts';
import { ModelCluster } from './model-cluster.ts';
import { ModelDriver } from './model-driver.ts';
import { ModelLine } from './model-line.ts';

const partitions = 3;
const words = topic('words', textCodec, { partitions });
const counted = topic('counted', textCodec, { partitions });
const group = 'count';

/** What happens to a word on its way through a worker, if anything. */
export type Mishap =
  | { readonly kind: 'say'; readonly key: number; readonly times: number }
  /** A marker comes, and time goes by. */
  | { readonly kind: 'pass'; readonly ms: number }
  /** Nothing reaches the worker, or comes from it, until then. */
  | { readonly kind: 'stall'; readonly worker: number; readonly ms: number }
  | { readonly kind: 'kill'; readonly worker: number }
  /** So many batches are refused for now. */
  | { readonly kind: 'refuse'; readonly batches: number }
  | { readonly kind: 'rebalance' };

interface Worker {
  readonly line: ModelLine;
  readonly runtime: Runtime;
}

/** Workers that count words by key, exactly once, on a cluster that does what Kafka promises, in virtual time. */
export class ModelWorld {
  readonly #time = new VirtualTimeScheduler(VirtualAction, 0);
  readonly #cluster = new ModelCluster(this.#time, (_, place) => this.#compare(place));
  /** Offsets that were committed without the state that belongs to them, in words. */
  readonly torn: string[] = [];
  readonly #random: Random;
  readonly #workers: Worker[] = [];
  readonly #said = new Map<string, number>();
  #named = 0;
  #refusals = 0;
  #marks = 0;

  private constructor(seed: number) {
    this.#random = randomFrom(seed);
    for (const { name } of [words, counted]) this.#cluster.createTopic(name, partitions);
  }

  /** @param seed of how long each way to the cluster takes */
  static async start(seed: number, workers: number): Promise<ModelWorld> {
    const world = new ModelWorld(seed);
    for (let place = 0; place < workers; place++) await world.#begin(place);
    await world.pass(1_000);
    return world;
  }

  async happen(mishap: Mishap): Promise<void> {
    switch (mishap.kind) {
      case 'say':
        for (let n = 0; n < mishap.times; n++) this.#say(`k${mishap.key}`, mishap.key % partitions);
        return;
      case 'pass':
        this.#mark();
        return this.pass(mishap.ms);
      case 'stall':
        this.#at(mishap.worker)?.line.stall(mishap.ms);
        return;
      case 'kill':
        this.#at(mishap.worker)?.line.cut();
        return this.#begin(mishap.worker % this.#workers.length);
      case 'refuse':
        this.#refusals += mishap.batches;
        return;
      case 'rebalance':
        this.#cluster.group(group).rebalance();
        return;
    }
  }

  pass(ms: number): Promise<void> {
    return passTime(this.#time, ms, 10);
  }

  /** All is well again, and time enough for everything to be caught up with; then others take over. */
  async heal(): Promise<void> {
    this.#refusals = 0;
    await this.pass(20_000);
    for (const [place, { line }] of this.#workers.entries()) {
      line.cut();
      await this.#begin(place);
    }
    this.#mark();
    await this.pass(15_000);
  }

  /** What was said, as it should be counted. */
  get wanted(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
      [...this.#said].map(([key, times]) => [
        key,
        Array.from({ length: times }, (_, n) => `${key} ${n + 1}`),
      ]),
    );
  }

  /** What readers see, by key, in its order. */
  get seen(): Readonly<Record<string, readonly string[]>> {
    const seen: Record<string, string[]> = {};
    for (const [partition, log] of (this.#cluster.topics.get(counted.name) ?? []).entries()) {
      const place = { topic: counted.name, partition };
      for (const record of log.read(place, 0).records) {
        const { key, payload } = messageOf(place, record);
        if (key !== null && payload !== null) (seen[key] ??= []).push(Buffer.from(payload).toString());
      }
    }
    return seen;
  }

  /** How many words no group has committed. */
  get uncommitted(): number {
    const ends = this.#cluster.topics.get(words.name)?.map(({ next }) => next) ?? [];
    return this.#cluster.committed(group).reduce(
      (left, { offset }) => left - offset,
      ends.reduce((sum, end) => sum + end, 0),
    );
  }

  get backwards(): readonly string[] {
    return this.#cluster.backwards;
  }

  stop(): void {
    for (const { runtime } of this.#workers) runtime.stop();
  }

  /** State and offsets are committed together: whoever goes on from one of them goes on from both. */
  #compare({ partition, offset }: PartitionOffset): void {
    const { name: topic, codec } = changelogOf(group);
    const place = { topic, partition };
    const stored = this.#cluster
      .log(place)
      .read(place, 0)
      .records.flatMap(record => {
        const { payload } = messageOf(place, record);
        if (payload === null) return [];
        const read = codec.decode(payload);
        return isRight(read) && read.right.kind === 'commit'
          ? [read.right.offsets[`${words.name}/${partition}`]]
          : [];
      });
    if (stored.at(-1) !== offset)
      this.torn.push(`words[${partition}] committed at ${offset}, its state at ${stored.at(-1)}`);
  }

  #say(key: string, partition: number): void {
    this.#said.set(key, (this.#said.get(key) ?? 0) + 1);
    this.#store({ topic: words.name, key, payload: Buffer.from('word'), partition });
  }

  #mark(): void {
    const marker = new Marker('time', ++this.#marks * 1_000, 'feed');
    for (let partition = 0; partition < partitions; partition++)
      this.#store(markerMessage(words.name, partition, marker));
  }

  #store(message: OutgoingMessage): void {
    const { topic: name, partition = 0 } = message;
    const id = messageId(String(++this.#named).padStart(32, '0'));
    this.#cluster.store({ topic: name, partition }, [recordOf(message, id, this.#time.now())]);
  }

  #at(place: number): Worker | undefined {
    return this.#workers[place % this.#workers.length];
  }

  async #begin(place: number): Promise<void> {
    const instance = `worker-${++this.#named}`;
    const line = new ModelLine(this.#time, () => 1 + Math.floor(this.#random() * 15));
    const driver = new ModelDriver(this.#cluster, line, instance, () => this.#refusals-- > 0);
    const consuming = { sessionTimeoutMs: 1_000, heartbeatIntervalMs: 100, rebalanceTimeoutMs: 2_000 };
    const options = { brokers: ['model:1'], scheduler: this.#time, consuming };
    const bus = new KafkaBus(options, () => Promise.resolve(driver));
    await bus.start();
    const runtime = new Runtime([counting()], bus, { scheduler: this.#time, worker: instance });
    await runtime.start();
    this.#workers[place] = { line, runtime };
  }
}

/** How often each key was said, so far: `key n`. */
function counting(): Pipeline {
  const codec = jsonState('1', json => json as { n: number });
  return pipeline(
    group,
    ({ source, publisher, onFailure, state, scheduler }) =>
      source(words).pipe(
        decode(words),
        scanByKey<string, { n: number }, string>((count, _, { key }) => [`${key ?? ''} ${++count.n}`], {
          name: 'counts',
          seed: () => ({ n: 0 }),
          codec,
          state,
        }),
        publishTo(counted, publisher, { scheduler }),
        onFailure(),
      ),
    { guarantee: 'exactly-once', transactionTimeoutMs: 4_000 },
  );
}
