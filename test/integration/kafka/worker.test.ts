import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { type StartedProcess, started, startedWith } from '../../worker/started-process.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const main = at('src/cli/main.ts');

const symbols = ['BTC_USDT', 'ETH_USDT', 'SOL_USDT'];
const minutes = 63 * 60;
const compared = [
  'cryptorun-market-bars',
  'cryptorun-regime-detection',
  'cryptorun-momentum-scores',
  'cryptorun-gate-evaluations',
  'cryptorun-signals',
];

/** A market that rises in waves. */
function barsOf(nr: number): readonly (readonly number[])[] {
  const start = Date.UTC(2026, 0, 5);
  const price = (minute: number): number =>
    100 * (nr + 1) * Math.exp(minute / 9000 + Math.sin(minute / 97 + nr) / 90);
  return Array.from({ length: minutes }, (_, minute) => {
    const [open, close] = [price(minute), price(minute + 1)];
    const volume = 5000 + 4000 * Math.sin(minute / 31 + nr);
    return [
      start + minute * 60_000,
      open,
      Math.max(open, close) * 1.0004,
      Math.min(open, close) * 0.9996,
      close,
      volume,
    ];
  });
}

/** A folder with recorded bars, and a configuration to change. */
async function prepared(): Promise<{ folder: string; configs: string; feeds: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-worker-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const configs = join(folder, 'configs');
  await cp(at('configs'), configs, { recursive: true });
  const recordings = join(folder, 'recordings');
  await mkdir(recordings);
  const feeds = symbols.map(symbol => `file:${join(recordings, `${symbol}-1m.json`)}`);
  await Promise.all(
    symbols.map((symbol, nr) => writeFile(join(recordings, `${symbol}-1m.json`), JSON.stringify(barsOf(nr)))),
  );
  return { folder, configs, feeds };
}

/** What is said of each topic: by key, in order, each id once. */
type Said = ReadonlyMap<string, readonly string[]>;

function said(topic: string, key: string | null, id: string, time: number, value: unknown): string {
  return JSON.stringify([topic, key, id, time, value]);
}

/** The first difference of each key, short enough to be read. */
function differences(expected: Said, heard: Said): readonly string[] {
  return [...expected].flatMap(([place, all]) => {
    const other = heard.get(place) ?? [];
    const at = all.findIndex((one, index) => one !== other[index]);
    return at < 0
      ? []
      : [`${place} #${at}: expected ${all[at]?.slice(0, 300)}, heard ${other[at]?.slice(0, 300)}`];
  });
}

class Listener {
  readonly #seen = new Map<string, Set<string>>();
  readonly #byKey = new Map<string, string[]>();

  take(topic: string, key: string | null, id: string, time: number, value: unknown): void {
    const seen = this.#seen.get(topic) ?? new Set();
    this.#seen.set(topic, seen);
    if (seen.has(id)) return;
    seen.add(id);
    const place = `${topic} ${key}`;
    this.#byKey.set(place, [...(this.#byKey.get(place) ?? []), said(topic, key, id, time, value)]);
  }

  count(topic: string): number {
    return this.#seen.get(topic)?.size ?? 0;
  }

  get said(): Said {
    return this.#byKey;
  }
}

/** The same market on the embedded bus, in one go. */
async function onEmbedded(folder: string, configs: string, feeds: readonly string[]): Promise<Listener> {
  const record = join(folder, 'recorded');
  const places = ['--dir', join(folder, 'data'), '--record', record, '--config', configs];
  const specs = feeds.flatMap(feed => ['--feed', feed]);
  const run = started(main, 'start', '--once', '--plain', ...places, ...specs);
  expect(await run.ended, run.output()).toBe(0);
  const heard = new Listener();
  for (const topic of compared) {
    const lines = (await readFile(join(record, `${topic}.jsonl`), 'utf8')).trimEnd().split('\n');
    for (const line of lines.filter(Boolean)) {
      const { id, key, timestamp, value } = JSON.parse(line) as Line;
      if (value !== null) heard.take(topic, key, id, timestamp, value);
    }
  }
  return heard;
}

interface Line {
  readonly id: string;
  readonly key: string | null;
  readonly timestamp: number;
  readonly value: unknown;
}

interface Listening {
  readonly heard: Listener;
  readonly until: (when: (heard: Listener) => boolean) => Promise<void>;
}

/** Hears what comes to the topics of a cluster. */
function listen(bus: EventBus): Listening {
  const heard = new Listener();
  let look = (): void => undefined;
  const subscription = bus.source(compared).subscribe(delivery => {
    const { topic, key, id, timestamp, payload } = delivery.message;
    if (payload !== null) heard.take(topic, key, id, timestamp, JSON.parse(Buffer.from(payload).toString()));
    delivery[settlement].ack();
    look();
  });
  onTestFinished(() => subscription.unsubscribe());
  const until = (when: (heard: Listener) => boolean): Promise<void> =>
    new Promise(resolve => {
      look = () => {
        if (when(heard)) resolve();
      };
      look();
    });
  return { heard, until };
}

async function readiness(worker: StartedProcess): Promise<{ status: number; body: unknown }> {
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(worker.output())?.[0] ?? '';
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, body: await response.json() };
}

describeOwnKafka('a worker process on Kafka', () => {
  const about = 'is ready, drains, goes on where it was, and writes what the embedded bus writes';
  it(about, { timeout: 120_000 }, async () => {
    const [{ folder, configs, feeds }, kafka] = await Promise.all([prepared(), startKafka()]);
    onTestFinished(() => kafka.stop(), 60_000);
    const expected = await onEmbedded(folder, configs, feeds);
    expect(expected.count('cryptorun-market-bars')).toBe(symbols.length * minutes);

    const env = {
      KAFKA_BROKERS: kafka.bootstrap.join(),
      CRYPTORUN_BACKEND: 'kafka',
      CRYPTORUN_PORT: '0',
    };
    const bundle = join(configs, 'bundles/main.yaml');
    const shipped = await readFile(bundle, 'utf8');
    await writeFile(
      bundle,
      shipped.replace(/^ {2}- simulator$/m, feeds.map(feed => `  - ${feed}`).join('\n')),
    );
    const work = (): StartedProcess =>
      startedWith(env, main, 'worker', '--bundle', bundle, '--config', configs);

    const first = work();
    await first.said('"msg":"started"');
    const ready = { status: 200, body: { ready: true, reasons: [] } };
    await vi.waitFor(async () => expect(await readiness(first)).toEqual(ready), { timeout: 30_000 });
    const bus = kafkaBus({ brokers: kafka.bootstrap });
    onTestFinished(() => bus.stop());
    await bus.start();
    const { heard, until } = listen(bus);
    await until(() => heard.count('cryptorun-market-bars') > 500);
    first.kill('SIGTERM');
    expect(await first.ended, first.output()).toBe(0);
    const before = heard.count('cryptorun-market-bars');
    expect(before).toBeLessThan(expected.count('cryptorun-market-bars'));

    const second = work();
    await until(() => compared.every(topic => heard.count(topic) >= expected.count(topic)));
    second.kill('SIGTERM');
    expect(await second.ended, second.output()).toBe(0);
    expect(differences(expected.said, heard.said)).toEqual([]);
  });
});
