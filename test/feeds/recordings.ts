import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { FeedItem } from '../../src/feeds/feed.ts';
import { parseLogLine, type LogLine } from '../../src/feeds/files/frame-log.ts';
import { venueNamed } from '../../src/feeds/venues/known-venues.ts';
import type {
  Control,
  Normaliser,
  NormaliserOptions,
  NormaliserStats,
} from '../../src/feeds/venues/venue.ts';

const folder =
  process.env['CRYPTORUN_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** Why tests on recorded sessions are skipped; undefined where they run. */
export const noRecordings: string | undefined = existsSync(folder)
  ? undefined
  : `no recorded market data at ${folder} (set CRYPTORUN_DATA)`;

export const recording = (path: string): string => `${folder}/${path}`;

export function recordedText(path: string): string {
  const bytes = readFileSync(recording(path));
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** What was received in some recorded sessions, in order of receipt. */
export function recordedLines(...paths: readonly string[]): readonly LogLine[] {
  const lines = paths.flatMap(path => recordedText(path).split('\n')).map(parseLogLine);
  const received = lines.filter(line => line?.kind === 'frame' || line?.kind === 'rest');
  return received.toSorted((a, b) => a.receivedAt - b.receivedAt);
}

export interface Replayed {
  readonly items: readonly FeedItem[];
  readonly controls: readonly Control[];
  readonly stats: NormaliserStats;
  readonly kinds: Readonly<Record<string, number>>;
}

const tally = (kinds: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

function normaliserOf(venue: string, options?: NormaliserOptions): Normaliser {
  const found = venueNamed(venue);
  if (found === undefined) throw new Error(`no venue ${venue}`);
  return found.createNormaliser(options);
}

/** Gives lines to a venue's normaliser. */
export function replay(venue: string, lines: readonly LogLine[], options?: NormaliserOptions): Replayed {
  const normaliser = normaliserOf(venue, options);
  const items: FeedItem[] = [];
  const controls: Control[] = [];
  for (const line of lines) {
    if (line.kind === 'open' || line.kind === 'sent') continue;
    const accepted =
      line.kind === 'frame'
        ? normaliser.accept(line.text, line.receivedAt, 'test')
        : normaliser.acceptRest(line.url, line.text, line.receivedAt, 'test');
    items.push(...accepted.items);
    controls.push(...accepted.controls);
  }
  const kinds = tally([...items.map(item => item.kind), ...controls.map(control => control.kind)]);
  return { items, controls, stats: normaliser.stats, kinds };
}

/** Frames as texts, received a millisecond apart. */
export const frames = (...values: readonly unknown[]): readonly LogLine[] =>
  values.map((value, index) => ({
    kind: 'frame',
    receivedAt: 1_700_000_000_000 + index,
    text: typeof value === 'string' ? value : JSON.stringify(value),
  }));
