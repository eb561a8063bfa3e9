import * as t from 'io-ts';

/** A number of a frame, which venues write as number or as text. */
export const numeric: t.Type<string | number> = t.union([t.string, t.number]);

/** An object whose fields are not known yet. */
export const record: t.Type<Record<string, unknown>> = t.UnknownRecord;

/** The number that a venue wrote; NaN where it is none, which the readers of prices refuse by themselves. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
}

/** Milliseconds of an ISO 8601 text; NaN where it is none. */
export function isoTime(text: string): number {
  return Date.parse(text);
}

/** Whole milliseconds of Unix seconds with a fraction, as text or number. */
export function secondsTime(value: unknown): number {
  return Math.floor(numberOf(value) * 1000 + 0.0005);
}

/** Fields for `bid` and `ask`, left out where they are no price. */
export function quote(bid: unknown, ask: unknown): { readonly bid?: number; readonly ask?: number } {
  const [bidPrice, askPrice] = [numberOf(bid), numberOf(ask)];
  return { ...(bidPrice > 0 ? { bid: bidPrice } : {}), ...(askPrice > 0 ? { ask: askPrice } : {}) };
}
