import * as t from 'io-ts';
import { windowEnd } from './bar-window.ts';

/** The part of a bar that longer bars are made of. */
export interface PlainBar {
  /** Event time, ms. */
  readonly end: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** In units of the base currency. */
  readonly volume: number;
}

type Growing = { -readonly [K in keyof PlainBar]: PlainBar[K] };

/** Bars of one longer size, built out of closed 1m bars; JSON-safe. */
export interface Rollup {
  readonly sizeMs: number;
  /** The bar that is still growing. */
  growing: Growing | null;
}

export const Rollup: t.Type<Rollup> = t.type({
  sizeMs: t.number,
  growing: t.union([
    t.type({
      end: t.number,
      open: t.number,
      high: t.number,
      low: t.number,
      close: t.number,
      volume: t.number,
    }),
    t.null,
  ]),
});

const none: readonly PlainBar[] = [];

/** Nothing built yet; `sizeMs` is the length of the longer bars. */
export function seedRollup(sizeMs: number): Rollup {
  return { sizeMs, growing: null };
}

/** Closes the growing bar where it ended at or before `time`: at a finite feed's end, or at a boundary. */
export function closeUpTo(rollup: Rollup, time: number): PlainBar | null {
  const bar = rollup.growing;
  if (bar === null || bar.end > time) return null;
  rollup.growing = null;
  return bar;
}

function grow(rollup: Rollup, bar: PlainBar, end: number): void {
  const { open, high, low, close, volume } = bar;
  const growing = rollup.growing;
  if (growing === null) {
    rollup.growing = { end, open, high, low, close, volume };
    return;
  }
  if (high > growing.high) growing.high = high;
  if (low < growing.low) growing.low = low;
  growing.close = close;
  growing.volume += volume;
}

/**
 * Adds a closed 1m bar, later than all before it, and returns the longer bars that have ended by its end:
 * none, one, or after a gap two, oldest first. Windows without a bar make none.
 */
export function rollUp(rollup: Rollup, bar: PlainBar): readonly PlainBar[] {
  const end = windowEnd(bar.end, rollup.sizeMs);
  const earlier = rollup.growing?.end === end ? null : closeUpTo(rollup, bar.end);
  grow(rollup, bar, end);
  const complete = closeUpTo(rollup, bar.end);
  if (earlier === null) return complete === null ? none : [complete];
  return complete === null ? [earlier] : [earlier, complete];
}
