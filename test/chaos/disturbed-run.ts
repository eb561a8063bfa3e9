import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEventBus } from '../../src/backends.ts';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import type { Guarantee } from '../../src/runtime/pipeline.ts';
import { type KafkaCluster, startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { quickFailover } from '../brokers/kafka/server-properties.ts';
import { committedBackwards } from './committed-offsets.ts';
import { type ChaosEvent, type PlannedEvent, eventText } from './events.ts';
import { JobProgress, standstillMs } from './job-progress.ts';
import { marketWorker } from './market-worker.ts';
import { LiveReader } from './live-reader.ts';
import { type Difference, type Outcome, differences, outputs, readOutcome } from './outcome.ts';
import { writeRecordedDays } from './recorded-days.ts';
import { Workers } from './workers.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const hasty = fileURLToPath(new URL('./commits-early.ts', import.meta.url));
const slowOnSignal = fileURLToPath(new URL('./slow-on-signal.ts', import.meta.url));

export interface ChaosPlan {
  readonly events: readonly PlannedEvent[];
  readonly workers: number;
  readonly brokers: number;
  /** The client of all workers. */
  readonly driver: KafkaDriverName;
  readonly symbols: readonly string[];
  readonly days: number;
  /** After how long without a sign of life a worker's partitions go to the others, ms. */
  readonly sessionTimeoutMs: number;
  /** What all pipelines promise. */
  readonly guarantee: Guarantee;
  /** Has the workers commit before they publish: what is found then shows that something can be found. */
  readonly plantedBug?: boolean;
  /** Where the brokers' data stays; by default it goes with the run. */
  readonly brokerFolder?: string;
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
  /** What workers warned of. */
  readonly said: string;
}

/** Nothing is written for so long after partitions have moved, ms. */
const quietMs = 8_000;

/**
 * Runs recorded days through worker processes on a Kafka of their own, disturbs workers, brokers and the network
 * between them as planned, and compares every topic with a run of one process in a folder.
 */
export async function runDisturbed(plan: ChaosPlan): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  const feed = join(folder, 'feed');
  mkdirSync(feed);
  writeRecordedDays(feed, plan.symbols, plan.days);
  const wanted = await calmRun(feed, join(folder, 'calm'));
  // One line more, for a worker that is added.
  const kafka = await startKafka({
    brokers: plan.brokers,
    lines: plan.workers + 1,
    properties: quickFailover,
    ...(plan.brokerFolder !== undefined && { folder: plan.brokerFolder }),
  });
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
  const bus = createEventBus({ kind: 'kafka', brokers: kafka.bootstrap });
  try {
    for (let place = 0; place < plan.workers; place++) workers.start(place);
    const disturbance = new Disturbance(kafka, workers, plan.workers);
    await bus.start();
    const progress = new JobProgress(bus, wanted);
    const live = new LiveReader(bus, outputs);
    for (const { at, event } of plan.events) {
      await progress.reached(at);
      plan.report?.(`${Math.round(100 * at)} %: ${eventText(event)}`);
      await disturbance.happen(event);
    }
    await progress.quiet(plan.sessionTimeoutMs + quietMs);
    const isWhole = Object.values(differences(wanted, await readOutcome(bus))).every(
      ({ lost }) => lost === 0,
    );
    // What stands still may yet come: a partition waits for its leader, a worker for its partitions.
    if (!isWhole && plan.plantedBug !== true) await progress.quiet(standstillMs);
    const exitCodes = await workers.stopAll();
    const got = await readOutcome(bus);
    const signals = [...(wanted.get('cryptorun-signals')?.byKey.values() ?? [])].flat().length;
    const backwards = await committedBackwards(bus);
    const { restarts, said } = workers;
    const repeated = [...got.values()].flatMap(topic => topic.repeated);
    const vanished = await live.vanished();
    const found = { differences: differences(wanted, got), repeated, backwards, vanished };
    return { ...found, signals, exitCodes, restarts, said };
  } finally {
    workers.killAll();
    await bus.stop();
    await kafka.stop();
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

async function calmRun(feed: string, dir: string): Promise<Outcome> {
  const args = [program, 'start', '--once', '--plain', '--feed', `file:${feed}`, '--dir', dir];
  await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  const bus = createEventBus({ kind: 'embedded', dir, readOnly: true });
  await bus.start();
  try {
    return await readOutcome(bus);
  } finally {
    await bus.stop();
  }
}
