import { hash } from 'node:crypto';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { placeName } from '../../src/bus/partition-name.ts';
import { readToEnd } from './read-to-end.ts';

/** What the market job writes. */
export const outputs: readonly string[] = [
  'cryptorun-market-bars',
  'cryptorun-regime-detection',
  'cryptorun-momentum-scores',
  'cryptorun-gate-evaluations',
  'cryptorun-signals',
  'cryptorun-notifications',
];

/** Of a payload's hash: millions of payloads are not kept. */
const hashLength = 16;

/**
 * The messages of one topic by key, each as its id, event time and hash: first occurrences by id in their order, and
 * how many came again.
 */
export interface TopicOutcome {
  readonly byKey: ReadonlyMap<string, readonly string[]>;
  /** What came again, and where both are. */
  readonly repeated: readonly string[];
}

export type Outcome = ReadonlyMap<string, TopicOutcome>;

/** What a run differs in from the one that it should be equal to. */
export interface Difference {
  readonly lost: number;
  /** Messages that the other has not, or has with another payload. */
  readonly wrong: number;
  readonly reordered: number;
  readonly duplicates: number;
}

/** Reads what the job has written, to the end that there is now. */
export async function readOutcome(bus: EventBus): Promise<Outcome> {
  const all = await Promise.all(outputs.map(async topic => [topic, await readTopic(bus, topic)] as const));
  return new Map(all);
}

async function readTopic(bus: EventBus, topic: string): Promise<TopicOutcome> {
  const seen = new Map<string, string>();
  const byKey = new Map<string, string[]>();
  const repeated: string[] = [];
  await readToEnd(bus, topic, message => {
    const { id, key, payload, timestamp } = message;
    if (payload === null) return;
    const first = seen.get(id);
    const place = `${placeName(message)}@${message.offset} of ${new Date(message.logTime).toISOString()}`;
    if (first !== undefined) {
      repeated.push(`${id}: ${first} and ${place}`);
      return;
    }
    seen.set(id, place);
    const mine = byKey.get(key ?? '') ?? [];
    byKey.set(key ?? '', mine);
    mine.push(`${id} ${timestamp} ${hash('sha256', payload, 'base64url').slice(0, hashLength)}`);
  });
  return { byKey, repeated };
}

/** By topic. Order is judged per key, on what both have. */
export function differences(wanted: Outcome, got: Outcome): Readonly<Record<string, Difference>> {
  return Object.fromEntries(
    [...wanted].map(([topic, outcome]) => [topic, difference(outcome, got.get(topic))]),
  );
}

function difference(wanted: TopicOutcome, got: TopicOutcome | undefined): Difference {
  let [lost, wrong, reordered] = [0, 0, 0];
  for (const key of new Set([...wanted.byKey.keys(), ...(got?.byKey.keys() ?? [])])) {
    const [ours, theirs] = [wanted.byKey.get(key) ?? [], got?.byKey.get(key) ?? []];
    const [inOurs, inTheirs] = [new Set(ours), new Set(theirs)];
    lost += ours.filter(message => !inTheirs.has(message)).length;
    wrong += theirs.filter(message => !inOurs.has(message)).length;
    const common = theirs.filter(message => inOurs.has(message));
    const places = new Map(ours.map((message, place) => [message, place]));
    reordered += common.filter(
      (message, i) => i > 0 && (places.get(message) ?? 0) < (places.get(common[i - 1] ?? '') ?? 0),
    ).length;
  }
  return { lost, wrong, reordered, duplicates: got?.repeated.length ?? 0 };
}
