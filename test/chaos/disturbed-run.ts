import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createEventBus } from '../../src/backends.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import type { Guarantee } from '../../src/runtime/pipeline.ts';
import type { KafkaCluster } from '../brokers/kafka/kafka-cluster.ts';
import { committedBackwards } from './committed-offsets.ts';
import { type ChaosEvent, type PlannedEvent, eventText } from './events.ts';
import type { ChaosGround } from './ground.ts';
import { JobProgress } from './job-progress.ts';
import { marketWorker } from './market-worker.ts';
import { LiveReader } from './live-reader.ts';
import { type Difference, differences, outputs, readOutcome } from './outcome.ts';
import { Workers } from './workers.ts';

const hasty = fileURLToPath(new URL('./commits-early.ts', import.meta.url));
const slowOnSignal = fileURLToPath(new URL('./slow-on-signal.ts', import.meta.url));

export interface ChaosPlan {
  readonly events: readonly PlannedEvent[];
  readonly workers: number;
  /** The client of all workers. */
  readonly driver: KafkaDriverName;
  /** After how long without a sign of life a worker's partitions go to the others, ms. */
  readonly sessionTimeoutMs: number;
  /** What all pipelines promise. */
  readonly guarantee: Guarantee;
  /** Has the workers commit before they publish: what is found then shows that something can be found. */
  readonly plantedBug?: boolean;
  /** Hears of each event. */
  readonly report?: (what: string) => void;
}

export interface ChaosReport {
  readonly differences: Readonly<Record<string, Difference>>;
  /** What came again, and where both are. */
  readonly repeated: readonly string[];
  /** Committed offsets that went backwards. */
  readonly backwards: readonly string[];
  /** Messages that a reader saw while all was under way, and that are not there in the end. */
  readonly vanished: number;
  readonly signals: number;
  readonly exitCodes: readonly (number | null)[];
  /** Workers that ended by themselves. */
  readonly restarts: number;
  /** How those ended, and those that did not end well when they were asked to. */
  readonly endings: readonly string[];
  /** What workers warned of. */
  readonly said: string;
}

/** What checks has another client than what is checked: who reads wrong could overlook what he has read wrong before. */
const checksWith: Readonly<Record<KafkaDriverName, KafkaDriverName>> = {
  kafkajs: 'platformatic',
  platformatic: 'kafkajs',
};

/** For what may still come where all is there: a worker that nobody misses goes on with what it had in hand, ms. */
const afterwardsMs = 3_000;

/**
 * Runs recorded days through worker processes on Kafka, disturbs workers, brokers and the network between them as
 * planned, and compares every topic with a run of one process in a folder. What it has written stays on the ground.
 */
export async function runDisturbed(
  { kafka, feed, wanted }: ChaosGround,
  plan: ChaosPlan,
): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-workers-'));
  const workers = new Workers(place =>
    marketWorker(folder, {
      name: `worker-${place}`,
      brokers: kafka.lines[place]?.bootstrap ?? [],
      driver: plan.driver,
      feed,
      sessionTimeoutMs: plan.sessionTimeoutMs,
      guarantee: plan.guarantee,
      preload: plan.plantedBug === true ? [hasty] : [slowOnSignal],
    }),
  );
  const bus = createEventBus({ kind: 'kafka', brokers: kafka.bootstrap, driver: checksWith[plan.driver] });
  try {
    for (let place = 0; place < plan.workers; place++) workers.start(place);
    const disturbance = new Disturbance(kafka, workers, plan.workers);
    await bus.start();
    const live = new LiveReader(bus, outputs);
    const progress = new JobProgress(live, wanted);
    // What was lost on purpose need not be waited for.
    const patienceMs = plan.plantedBug === true ? plan.sessionTimeoutMs * 2 : undefined;
    for (const { at, event } of plan.events) {
      await progress.reached(at, patienceMs);
      plan.report?.(`${Math.round(100 * at)} %: ${eventText(event)}`);
      await disturbance.happen(event);
    }
    await progress.reached(1, patienceMs);
    await wait(afterwardsMs);
    const exitCodes = await workers.stopAll();
    const got = await readOutcome(bus);
    const signals = [...(wanted.get('cryptorun-signals')?.byKey.values() ?? [])].flat().length;
    const backwards = await committedBackwards(bus);
    const { restarts, endings, said } = workers;
    const repeated = [...got.values()].flatMap(topic => topic.repeated);
    const vanished = await live.vanished();
    const found = { differences: differences(wanted, got), repeated, backwards, vanished };
    return { ...found, signals, exitCodes, restarts, endings, said };
  } finally {
    workers.killAll();
    await bus.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Does to a cluster and its workers what an event says, and undoes what is to pass. */
class Disturbance {
  readonly #kafka: KafkaCluster;
  readonly #workers: Workers;
  /** The place of a worker that comes in addition. */
  readonly #spare: number;

  constructor(kafka: KafkaCluster, workers: Workers, spare: number) {
    this.#kafka = kafka;
    this.#workers = workers;
    this.#spare = spare;
  }

  async happen(event: ChaosEvent): Promise<void> {
    switch (event.kind) {
      case 'kill-worker':
        await this.#workers.kill(event.worker);
        this.#workers.start(event.worker);
        return;
      case 'freeze-worker':
        return this.#workers.freeze(event.worker, event.forMs);
      case 'slow-worker':
        return this.#workers.slow(event.worker, event.forMs);
      case 'cut-off-worker': {
        const proxies = this.#kafka.lines[event.worker]?.proxies ?? [];
        for (const proxy of proxies) proxy[event.how]();
        await wait(event.forMs);
        for (const proxy of proxies) proxy.heal();
        return;
      }
      case 'remove-worker':
        await this.#workers.stop(event.worker);
        await wait(event.forMs);
        this.#workers.start(event.worker);
        return;
      case 'add-worker':
        this.#workers.start(this.#spare);
        await wait(event.forMs);
        await this.#workers.stop(this.#spare);
        return;
      case 'bounce-broker':
        return this.#bounce([event.broker], event.how, event.awayMs);
      case 'bounce-all-brokers':
        return this.#bounce([...this.#kafka.brokers.keys()], event.how, event.awayMs);
    }
  }

  async #bounce(places: readonly number[], how: 'kill' | 'stop', awayMs: number): Promise<void> {
    const brokers = places.flatMap(place => this.#kafka.brokers[place] ?? []);
    await Promise.all(brokers.map(broker => broker[how]()));
    await wait(awayMs);
    await Promise.all(brokers.map(broker => broker.start()));
  }
}
