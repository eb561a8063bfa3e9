import { isEventTime } from '../event-time.ts';
import { numberOf } from '../venues/decoding.ts';
import type { RowDecoder } from './row-source.ts';

/** What a file of rows does not say itself. */
export interface RowIdentity {
  readonly venue: string;
  readonly symbol: string;
}

function rowOf(text: string): readonly unknown[] | string {
  try {
    const row: unknown = JSON.parse(text);
    return Array.isArray(row) ? row : 'the row is no array';
  } catch (error) {
    return `the row is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Bars, `[start_ms, open, high, low, close, volume]`; more columns may follow. The event time is the END of
 * the interval. Prices are not judged here, but by the decoder of the topic.
 */
export function barDecoder({ venue, symbol }: RowIdentity, intervalMs: number): RowDecoder {
  return text => {
    const row = rowOf(text);
    if (typeof row === 'string') return row;
    if (row.length < 6) return `the row has ${row.length} columns; a bar has 6`;
    const start = numberOf(row[0]);
    if (!isEventTime(start)) return `the start ${String(row[0])} is no time in milliseconds`;
    const value = {
      venue,
      symbol,
      price: numberOf(row[4]),
      time: start + intervalMs,
      intervalMs,
      open: numberOf(row[1]),
      high: numberOf(row[2]),
      low: numberOf(row[3]),
      volume: numberOf(row[5]),
    };
    return { kind: 'price', value };
  };
}

/** Trades, `[ms, id, type, side, price, amount, cost]`; where there is no id, time and place among its equals. */
export function tradeDecoder(identity: RowIdentity): RowDecoder {
  let last = 0;
  let equals = 0;
  return text => {
    const row = rowOf(text);
    if (typeof row === 'string') return row;
    if (row.length < 6) return `the row has ${row.length} columns; a trade has 7`;
    const [ms, id, , side, price, amount] = row;
    const time = numberOf(ms);
    if (!isEventTime(time)) return `the time ${String(ms)} is no time in milliseconds`;
    if (side !== 'buy' && side !== 'sell') return `the side ${String(side)} is neither buy nor sell`;
    equals = time === last ? equals + 1 : 0;
    last = time;
    const tradeId = typeof id === 'string' || typeof id === 'number' ? String(id) : `${time}-${equals}`;
    return {
      kind: 'trade',
      value: { ...identity, price: numberOf(price), size: numberOf(amount), side, tradeId, time },
    };
  };
}
