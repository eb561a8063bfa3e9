import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import { jsonCodec } from '../../src/core/codec.ts';
import { deadLetterTopic, quarantineTopic } from '../../src/core/dead-letter.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { randomFrom } from '../../src/feeds/simulator/random.ts';
import { ensureTopic } from '../../src/runtime/ensure-topic.ts';
import { committedBackwards } from './committed-offsets.ts';
import { readToEnd } from './read-to-end.ts';
import { Workers } from './workers.ts';

const worker = fileURLToPath(new URL('./counting-worker.ts', import.meta.url));
const Count = jsonCodec(t.type({ number: t.number, count: t.number }));

export interface CountingPlan {
  readonly brokers: readonly string[];
  readonly driver: KafkaDriverName;
  /** Names topics and group. */
  readonly name: string;
  readonly seed: number;
  readonly workers: number;
  readonly kills: number;
  /** How often one is stopped for longer than its group waits, and goes on then; after the kills. */
  readonly freezes: number;
  /** Messages published each second while workers are killed. */
  readonly perSecond: number;
  readonly bug?: 'progress-outside';
}

export interface CountingReport {
  readonly published: number;
  /** Stored twice by the publisher itself: not to be laid to the pipeline. */
  readonly publishedTwice: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Outputs of a key that come behind one of a later message. */
  readonly reordered: number;
  /** Outputs whose count is not their place among those of their key. */
  readonly miscounted: number;
  /** Committed offsets that went backwards. */
  readonly backwards: readonly string[];
  readonly exitCodes: readonly (number | null)[];
  readonly said: string;
}

const keys = 48;
const partitions = 6;
/** Longer than the session time-out of a worker. */
const frozenMs = 9_000;
/** How often to publish, ms. */
const stepMs = 20;

/**
 * Counts numbers by key in worker processes, some of which are killed with SIGKILL at moments that the seed says, and
 * looks at what everybody can read of it in the end.
 */
export async function runKilledCounting(plan: CountingPlan): Promise<CountingReport> {
  const { brokers, driver, name, bug } = plan;
  const [from, to] = [`${name}-numbers`, `${name}-counts`];
  const bus = createEventBus({ kind: 'kafka', brokers });
  const workers = new Workers(() => [worker, brokers.join(), driver, name, from, to, ...(bug ? [bug] : [])]);
  await bus.start();
  try {
    const settings = { ...defaultTopicSettings, partitions };
    // Runs beside each other share the topics of letters.
    for (const topic of [from, to, deadLetterTopic, quarantineTopic])
      await ensureTopic(bus, { name: topic, settings });
    for (let place = 0; place < plan.workers; place++) workers.start(place);
    const publishing = new Publishing(bus, from, plan.perSecond);
    const random = randomFrom(plan.seed);
    for (let kill = 0; kill < plan.kills; kill++) {
      // Every other time all goes well before; else what the last kill has caused may be under way.
      if (kill % 2 === 0) await untilAllMove(bus, from, name);
      await wait(random() * 3_000);
      const place = Math.floor(random() * plan.workers);
      await workers.kill(place);
      workers.start(place);
    }
    for (let freeze = 0; freeze < plan.freezes; freeze++) {
      await untilAllMove(bus, from, name);
      await workers.freeze(Math.floor(random() * plan.workers), frozenMs);
    }
    const published = await publishing.end();
    await untilCommitted(bus, from, name);
    const exitCodes = await workers.stopAll();
    await untilDecided(bus, to);
    const publishedTwice = await repeatedIn(bus, from);
    return {
      published,
      publishedTwice,
      ...(await judged(bus, to, published)),
      backwards: await committedBackwards(bus, name),
      exitCodes,
      said: workers.said,
    };
  } finally {
    workers.killAll();
    await bus.stop();
  }
}

/** Numbers from 0 on, spread over the keys. */
class Publishing {
  readonly #bus: EventBus;
  readonly #topic: string;
  readonly #loop: Promise<void>;
  #next = 0;
  #ended = false;

  constructor(bus: EventBus, topic: string, perSecond: number) {
    this.#bus = bus;
    this.#topic = topic;
    this.#loop = this.#publish(Math.ceil((perSecond * stepMs) / 1000));
  }

  /** How many there are. */
  async end(): Promise<number> {
    this.#ended = true;
    await this.#loop;
    return this.#next;
  }

  async #publish(atOnce: number): Promise<void> {
    while (!this.#ended) {
      const messages = Array.from({ length: atOnce }, () => {
        const number = this.#next++;
        return { topic: this.#topic, key: `k${number % keys}`, payload: Buffer.from(String(number)) };
      });
      const results = await this.#bus.publishBatch(messages);
      for (const result of results) if (!result.ok) throw result.error;
      await wait(stepMs);
    }
  }
}

/** Until every partition is being worked on. */
async function untilAllMove(bus: EventBus, topic: string, group: string): Promise<void> {
  const committed = async (): Promise<ReadonlyMap<number, number>> => {
    const { groups } = await bus.getTopicInfo(topic);
    const mine = groups.filter(each => each.group === group);
    return new Map(mine.map(each => [each.partition, each.committed]));
  };
  const before = await committed();
  for (let waited = 0; waited < 60_000; waited += 200) {
    await wait(200);
    const now = [...(await committed())];
    if (now.length === partitions && now.every(([index, offset]) => offset > (before.get(index) ?? 0)))
      return;
  }
  throw new Error(`${group}: nobody works on some partitions`);
}

async function untilCommitted(bus: EventBus, topic: string, group: string): Promise<void> {
  for (let waited = 0; waited < 90_000; waited += 500) {
    const { groups } = await bus.getTopicInfo(topic);
    const mine = groups.filter(each => each.group === group);
    if (mine.length === partitions && mine.every(({ lag }) => lag === 0)) return;
    await wait(500);
  }
}

/** Until what killed workers have left open is aborted: before that nobody sees what comes behind it. */
async function untilDecided(bus: EventBus, topic: string): Promise<void> {
  const fences = Array.from({ length: partitions }, (_, partition) =>
    bus.publish({ topic, key: null, payload: null, partition }),
  );
  const offsets = (await Promise.all(fences)).map(({ offset }) => offset);
  for (let waited = 0; waited < 60_000; waited += 500) {
    const ends = await bus.endOffsets(topic);
    if (offsets.every((offset, partition) => (ends[partition] ?? 0) > offset)) return;
    await wait(500);
  }
  throw new Error(`${topic}: a transaction is still open`);
}

/** How many payloads a topic holds more than once, each time but the first counted. */
async function repeatedIn(bus: EventBus, topic: string): Promise<number> {
  const seen = new Set<string>();
  let repeated = 0;
  await readToEnd(bus, topic, ({ payload }) => {
    const text = Buffer.from(payload ?? []).toString();
    if (seen.has(text)) repeated++;
    seen.add(text);
  });
  return repeated;
}

type Judgement = Pick<CountingReport, 'lost' | 'duplicated' | 'reordered' | 'miscounted'>;

async function judged(bus: EventBus, topic: string, published: number): Promise<Judgement> {
  const seen = new Set<number>();
  const last = new Map<string, { readonly number: number; readonly place: number }>();
  let [duplicated, reordered, miscounted] = [0, 0, 0];
  await readToEnd(bus, topic, ({ key, payload }) => {
    const decoded = payload && Count.decode(payload);
    if (!decoded || !isRight(decoded)) return;
    const { number, count } = decoded.right;
    const before = last.get(key ?? '') ?? { number: -1, place: 0 };
    if (seen.has(number)) duplicated++;
    if (number < before.number) reordered++;
    if (count !== before.place + 1) miscounted++;
    seen.add(number);
    last.set(key ?? '', { number, place: before.place + 1 });
  });
  return { lost: published - seen.size, duplicated, reordered, miscounted };
}
