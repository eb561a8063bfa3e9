import type { EventBus } from '../../src/bus/event-bus.ts';
import { readToEnd } from './read-to-end.ts';

const committed = '__consumer_offsets';
/** Versions of keys under which brokers keep what was committed; later ones are of groups and their members. */
const lastOffsetKey = 1;

/**
 * What was ever committed lower than before, by this group or any, in words: read from where the brokers keep it, since
 * a broker that has just begun to answer for a group may for a moment tell what is not the last.
 */
export async function committedBackwards(bus: EventBus, group?: string): Promise<readonly string[]> {
  const highest = new Map<string, number>();
  const backwards: string[] = [];
  await readToEnd(bus, committed, ({ key, payload }) => {
    const place = key === null ? undefined : placeIn(Buffer.from(key), group);
    if (place === undefined) return;
    if (payload === null) {
      // Forgotten, as its group or topic was deleted.
      highest.delete(place);
      return;
    }
    const offset = offsetIn(Buffer.from(payload));
    const before = highest.get(place) ?? -1;
    if (offset < before) backwards.push(`${place}: from ${before} to ${offset}`);
    highest.set(place, offset);
  });
  if (highest.size === 0) throw new Error(`${committed}: nothing was committed`);
  return backwards;
}

/** The group, topic and partition of a key; undefined for one of something else, or of another group. */
function placeIn(key: Buffer, wanted: string | undefined): string | undefined {
  if (key.readInt16BE(0) > lastOffsetKey) return undefined;
  const group = textAt(key, 2);
  if (wanted !== undefined && group.text !== wanted) return undefined;
  const topic = textAt(key, group.end);
  return `${group.text} in ${topic.text}[${key.readInt32BE(topic.end)}]`;
}

function textAt(key: Buffer, at: number): { readonly text: string; readonly end: number } {
  const begin = at + 2;
  const end = begin + key.readInt16BE(at);
  return { text: key.toString('utf8', begin, end), end };
}

/** Behind the version. */
function offsetIn(value: Buffer): number {
  return Number(value.readBigInt64BE(2));
}
