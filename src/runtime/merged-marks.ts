import { Marker } from '../core/marker.ts';
import type { MarkRecord } from './snapshot-format.ts';

/** How far each of those has come who write to a partition, by number; not to be changed. */
export type PartMarks = readonly (Marker | undefined)[];

/**
 * How far a partition has been written to by all who write to it: each says for itself how far it has come, and the
 * least of that counts.
 */
export class MergedMarks {
  /** Up to where everybody has come. */
  #whole: Marker | undefined;
  #merged: Marker | undefined;
  /** Of those who have said more since. */
  parts: PartMarks = [];

  /** As a snapshot holds it. */
  static restore(record: MarkRecord | undefined): MergedMarks {
    const marks = new MergedMarks();
    if (record === undefined) return marks;
    const { parts } = record;
    marks.#whole = markerOfRecord(record);
    marks.#merged = marks.#whole;
    if (parts !== undefined) {
      marks.parts = Array.from({ length: parts.of }, (_, part) => {
        const mark = parts.marks[part];
        return mark && markerOfRecord(mark);
      });
    }
    return marks;
  }

  /** Up to where everybody has come; undefined while that is not known of somebody. */
  get merged(): Marker | undefined {
    return this.#merged;
  }

  /** Takes a marker of the partition; whether everybody has come further by it. */
  take(marker: Marker): boolean {
    if (marker.parts === undefined) {
      this.#whole = marker;
      this.parts = [];
      return this.#moveTo(marker);
    }
    const { covered, of } = marker.parts;
    const said = new Marker(marker.kind, marker.time, marker.feed);
    const parts = Array.from({ length: of }, (_, part) => this.parts[part]);
    for (const part of covered) {
      if (isAfter(said, parts[part] ?? this.#whole)) parts[part] = said;
    }
    this.parts = parts;
    return this.#moveTo(leastOf(parts.map(part => part ?? this.#whole)));
  }

  #moveTo(merged: Marker | undefined): boolean {
    if (merged === undefined || isSame(merged, this.#merged)) return false;
    this.#merged = merged;
    return true;
  }
}

/** Whoever was replaced may still say what it said before; only a feed that begins again goes back. */
function isAfter(said: Marker, before: Marker | undefined): boolean {
  return before === undefined || before.kind !== 'time' || said.watermark >= before.watermark;
}

/** The least of all; undefined where there are none or one is missing. */
export function leastOf(markers: Iterable<Marker | undefined>): Marker | undefined {
  let least: Marker | undefined;
  for (const marker of markers) {
    if (marker === undefined) return undefined;
    if (least === undefined || marker.watermark < least.watermark) least = marker;
    // One partition that merely ended says more than one that carries nothing, and of several the one that ended last.
    else if (marker.kind === 'end' && (least.kind === 'absent' || isLaterEnd(marker, least))) least = marker;
  }
  return least;
}

function isLaterEnd(marker: Marker, than: Marker): boolean {
  return than.kind === 'end' && marker.time > than.time;
}

export function isSame(a: Marker, b: Marker | undefined): boolean {
  return b !== undefined && a.kind === b.kind && a.time === b.time;
}

/** A marker as a snapshot holds it. */
export function recordOf(marker: Marker, parts: PartMarks): MarkRecord {
  if (parts.length === 0) return plainRecord(marker);
  const known = [...parts.entries()].flatMap(([part, mark]) =>
    mark ? [[part, plainRecord(mark)] as const] : [],
  );
  return { ...plainRecord(marker), parts: { of: parts.length, marks: Object.fromEntries(known) } };
}

function plainRecord({ kind, time, feed }: Marker): MarkRecord {
  return { kind, time, ...(feed !== undefined && { feed }) };
}

export function markerOfRecord({ kind, time, feed }: MarkRecord): Marker {
  return new Marker(kind, time, feed);
}
