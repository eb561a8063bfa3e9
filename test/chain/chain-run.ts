import {
  type MarketSettings,
  defaultGateSettings,
  defaultMomentumSettings,
  defaultRegimeSettings,
  defaultSignalSettings,
  marketPipelines,
  marketTopics,
} from '../../pipelines/index.ts';
import { settlement } from '../../src/core/delivery.ts';
import type { Message } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { runFeed } from '../../src/feeds/feed-runner.ts';
import type { Feed } from '../../src/feeds/feed.ts';
import { type Pipeline, Runtime, type SeriesMeter } from '../../src/index.ts';
import type { PipelineStatus } from '../../src/runtime/pipeline-status.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { SlowBroker } from './slow-broker.ts';

export const feedTopics = {
  prices: 'cryptorun-market-prices',
  trades: 'cryptorun-market-trades',
  books: 'cryptorun-market-orderbook',
  deadLetters: 'cryptorun-dlq',
  positions: 'cryptorun-feed-positions',
} as const;

/** What the chain writes; the inputs are left out. */
const outputTopics: readonly string[] = [
  'cryptorun-market-bars',
  'cryptorun-market-liquidity',
  'cryptorun-regime-detection',
  'cryptorun-momentum-scores',
  'cryptorun-gate-evaluations',
  'cryptorun-signals',
  'cryptorun-notifications',
];

/** Indicators that look back less and gates so low that a small market gives evaluations, entries and exits. */
export const quickSettings: MarketSettings = {
  momentum: {
    ...defaultMomentumSettings,
    indicators: {
      ...defaultMomentumSettings.indicators,
      rsiBars: 4,
      vadrBars: 10,
      hurstBars: 24,
      hurstLagTo: 10,
    },
  },
  regime: {
    ...defaultRegimeSettings,
    volatility: { ...defaultRegimeSettings.volatility, minReturns: 10 },
    breadth: { ...defaultRegimeSettings.breadth, closes: 7 },
  },
  gates: {
    ...defaultGateSettings,
    evaluateFrom: 10,
    minScore: 30,
    minMovePercent: { trending_bull: 0.5, choppy: 0.5, high_vol: 0.5, unknown: 0.5 },
    minVadr: { trending_bull: 0.5, choppy: 0.5, high_vol: 0.5, unknown: 0.5 },
    minDailyVolume: 1_000,
    minAdx: 5,
  },
  signals: { ...defaultSignalSettings, exitBelow: 20, coolDownHours: 0.5, notifyEveryHours: 2 },
};

/** Something that happens once so many more messages have come out of the chain; `share`: a member comes or goes. */
export interface Incident {
  readonly after: number;
  readonly what: 'crash' | 'drain' | 'share' | 'duplicate' | 'slow' | 'disconnect';
  /** How long it lasts (`slow`, `disconnect`), ms; how many messages (`duplicate`). */
  readonly extent: number;
}

export interface ChainPlan {
  readonly settings?: MarketSettings;
  /** Partitions of the topics that bars are made of and of all that may differ; default 3. */
  readonly partitions?: { readonly input: number; readonly bars: number; readonly joined: number };
  readonly maxInFlight?: number;
  readonly snapshotEvery?: number;
  readonly maxPartitionBytes?: number;
  readonly incidents?: readonly Incident[];
}

/** What came out, by topic and key, first occurrences only, and how the chain stood at the end. */
export interface ChainResult {
  readonly outputs: Readonly<Record<string, readonly string[]>>;
  readonly messages: readonly Message[];
  readonly status: readonly PipelineStatus[];
  readonly meter: SeriesMeter;
  readonly driver: PipelineDriver;
  readonly incidents: number;
}

/** How the partitions of one topic are counted. */
function partitionsOf(topic: string, { partitions }: ChainPlan): number {
  const { input = 3, bars = 3, joined = 3 } = partitions ?? {};
  if (topic === 'cryptorun-market-bars') return bars;
  const isJoined = /liquidity|momentum-scores|gate-evaluations/.test(topic);
  return isJoined ? joined : input;
}

/** Sees what comes out of the chain as it comes, and lets the planned incidents happen in the midst of it. */
class Observer {
  readonly messages: Message[] = [];
  readonly #faults: SlowBroker;
  readonly #incidents: Incident[];
  #driver: PipelineDriver | undefined;
  #due: number;
  /** What must wait until the feed is between two batches. */
  restart: 'crash' | 'drain' | 'share' | undefined;
  happened = 0;

  constructor(incidents: readonly Incident[], faults: SlowBroker) {
    this.#faults = faults;
    this.#incidents = [...incidents];
    this.#due = incidents[0]?.after ?? Number.POSITIVE_INFINITY;
  }

  watch(driver: PipelineDriver): void {
    this.#driver = driver;
    for (const topic of outputTopics) {
      driver.bus.source(topic, { maxInFlight: 1 }).subscribe(delivery => {
        if (delivery.message.payload !== null) this.messages.push(delivery.message);
        delivery[settlement].ack();
        if (--this.#due <= 0) this.#happen();
      });
    }
  }

  #happen(): void {
    const incident = this.#incidents.shift();
    this.#due = this.#incidents[0]?.after ?? Number.POSITIVE_INFINITY;
    const driver = this.#driver;
    if (incident === undefined || driver === undefined) return;
    this.happened++;
    const { what, extent } = incident;
    if (what === 'crash') {
      driver.stop();
      this.restart = 'crash';
    } else if (what === 'drain' || what === 'share') this.restart ??= what;
    else if (what === 'duplicate') for (let i = 0; i < extent; i++) this.#faults.duplicateNextPublish();
    else if (what === 'slow') this.#faults.slowFor(extent, driver.scheduler);
    else {
      this.#faults.disconnect();
      driver.scheduler.schedule(() => this.#faults.reconnect(), extent);
    }
  }
}

/** Runs the whole chain over a feed, with what goes wrong in between, until everything is settled. */
export async function runChain(
  makeFeed: (between: () => Promise<void>) => Feed,
  plan: ChainPlan = {},
): Promise<ChainResult> {
  const faults = new SlowBroker();
  const observer = new Observer(plan.incidents ?? [], faults);
  const pipelines = (): readonly Pipeline[] =>
    marketPipelines(plan.settings ?? quickSettings).map(pipeline => ({
      ...pipeline,
      options: { ...pipeline.options, maxInFlight: plan.maxInFlight ?? 1024 },
    }));
  const runtime = { snapshotEvery: plan.snapshotEvery ?? 20_000 };
  const driver = await PipelineDriver.start({
    faults,
    ...(plan.maxPartitionBytes !== undefined && { maxPartitionBytes: plan.maxPartitionBytes }),
    topics: {
      ...Object.fromEntries(
        marketTopics.map(({ name, settings }) => [
          name,
          { ...settings, partitions: partitionsOf(name, plan), maxMessageBytes: 2 * 1024 * 1024 },
        ]),
      ),
      'cryptorun-dlq': { maxMessageBytes: 4 * 1024 * 1024 },
      'cryptorun-feed-positions': { ...defaultTopicSettings, compaction: true },
    },
    pipelines,
    runtime,
  });
  observer.watch(driver);
  let other: Runtime | undefined;
  const share = async (): Promise<void> => {
    const { bus, scheduler } = driver;
    const leaving = other;
    other = leaving ? undefined : new Runtime(pipelines(), bus, { ...runtime, scheduler });
    leaving?.stop();
    await other?.start();
  };
  const between = async (): Promise<void> => {
    const { restart } = observer;
    if (restart === undefined) return;
    observer.restart = undefined;
    if (restart === 'share') {
      await share();
      return;
    }
    if (restart === 'drain') await driver.runtime.drain(1_000);
    // What was on its way when the process died arrives or is lost before the next one starts.
    await driver.pause(200);
    await driver.restart();
  };
  const feed = makeFeed(between);
  await driver.during(runFeed(feed, driver.bus, new AbortController().signal, { topics: feedTopics }));
  await driver.during(between());
  await settle(driver, between);
  if (other) await driver.during(share().then(() => settle(driver, between)));
  const status = await driver.runtime.status();
  const { messages } = observer;
  return {
    outputs: outputsOf(messages),
    messages,
    status,
    meter: driver.runtime.meter,
    driver,
    incidents: observer.happened,
  };
}

/** Lets time go by until nothing is left to do, or two minutes have passed. */
async function settle(driver: PipelineDriver, between: () => Promise<void>): Promise<void> {
  for (let step = 0; step < 240; step++) {
    driver.runFor(500);
    await driver.during(between());
    const status = await driver.runtime.status();
    if (step > 2 && status.every(({ inFlight, lag }) => inFlight === 0 && lag === 0)) return;
  }
}

/** Each output as a line, by topic and key, in order, repetitions by id left out. */
function outputsOf(messages: readonly Message[]): Record<string, string[]> {
  const outputs: Record<string, string[]> = {};
  const seen = new Set<string>();
  for (const { id, topic, key, timestamp, payload } of messages) {
    if (seen.has(id)) continue;
    seen.add(id);
    const lines = (outputs[`${topic} ${key ?? ''}`] ??= []);
    lines.push(`${id} ${timestamp} ${Buffer.from(payload ?? []).toString()}`);
  }
  return outputs;
}
