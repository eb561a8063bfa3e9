import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { started } from '../../worker/started-process.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** The command line. */
export const main = at('src/cli/main.ts');

export const symbols = ['BTC_USDT', 'ETH_USDT', 'SOL_USDT'];
/** Of each symbol. */
export const minutes = 63 * 60;
/** What the market job says. */
export const compared = [
  'cryptorun-market-bars',
  'cryptorun-regime-detection',
  'cryptorun-momentum-scores',
  'cryptorun-gate-evaluations',
  'cryptorun-signals',
];

export interface PreparedMarket {
  readonly folder: string;
  readonly configs: string;
  readonly bundle: string;
  readonly feeds: readonly string[];
}

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

/** A folder with recorded bars, and a configuration to change, of which the main bundle has them as its feeds. */
export async function prepared(): Promise<PreparedMarket> {
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
  const bundle = join(configs, 'bundles/main.yaml');
  const shipped = await readFile(bundle, 'utf8');
  await writeFile(bundle, shipped.replace(/^ {2}- simulator$/m, feeds.map(feed => `  - ${feed}`).join('\n')));
  return { folder, configs, bundle, feeds };
}

/** What is said of each topic: by key, in order, each id once. */
export type Said = ReadonlyMap<string, readonly string[]>;

function said(topic: string, key: string | null, id: string, time: number, value: unknown): string {
  return JSON.stringify([topic, key, id, time, value]);
}

/** The first difference of each key, short enough to be read. */
export function differences(expected: Said, heard: Said): readonly string[] {
  return [...expected].flatMap(([place, all]) => {
    const other = heard.get(place) ?? [];
    const at = all.findIndex((one, index) => one !== other[index]);
    return at < 0
      ? []
      : [`${place} #${at}: expected ${all[at]?.slice(0, 300)}, heard ${other[at]?.slice(0, 300)}`];
  });
}

/** What has been said of the topics that are compared, each id once. */
export class Listener {
  readonly #seen = new Map<string, Set<string>>();
  readonly #byKey = new Map<string, string[]>();

  take(topic: string, key: string | null, id: string, time: number, value: unknown): void {
    const seen = this.#seen.get(topic) ?? new Set();
    this.#seen.set(topic, seen);
    if (seen.has(id)) return;
    seen.add(id);
    const place = `${topic} ${key}`;
    const ofPlace = this.#byKey.get(place) ?? [];
    this.#byKey.set(place, ofPlace);
    ofPlace.push(said(topic, key, id, time, value));
  }

  count(topic: string): number {
    return this.#seen.get(topic)?.size ?? 0;
  }

  get said(): Said {
    return this.#byKey;
  }
}

/** The same market on the embedded bus, in one go. */
export async function onEmbedded({ folder, configs, feeds }: PreparedMarket): Promise<Listener> {
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

export interface Listening {
  readonly heard: Listener;
  readonly until: (when: (heard: Listener) => boolean) => Promise<void>;
}

/** Hears what comes to the topics of a cluster. */
export function listen(bus: EventBus): Listening {
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
