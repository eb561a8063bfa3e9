import { beforeAll, describe, expect, it } from 'vitest';
import { returnOf } from '../../pipelines/momentum-parts.ts';
import type { MomentumScore } from '../../pipelines/momentum-value.ts';
import { defaultMomentumSettings } from '../../pipelines/momentum-settings.ts';
import { seedMomentum, type MomentumState } from '../../pipelines/momentum-state.ts';
import { scoreBar } from '../../pipelines/momentum-score.ts';
import { simulatorFeed } from '../../src/feeds/simulator.ts';
import type { MarketPrice, OrderBook } from '../../src/feeds/market-data.ts';

const START = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;

interface Entry {
  readonly symbol: string;
  readonly time: number;
  readonly stop: number;
  exit?: 'stop' | 'momentum lost' | 'time limit';
  exitTime?: number;
}

const entries: Entry[] = [];
const onlyFailures = new Set<string>();
const states = new Map<string, MomentumState>();
const books = new Map<string, OrderBook>();

function gatesFailed(score: MomentumScore, book: OrderBook): string[] {
  const bid = book.bids[0]![0];
  const ask = book.asks[0]![0];
  const mid = (bid + ask) / 2;
  const valueOf = (side: OrderBook['bids']): number =>
    side.reduce((sum, [p, q]) => sum + (Math.abs(p / mid - 1) <= 0.02 ? p * q : 0), 0);
  const calm = (returnOf(score.parts, '24h') ?? 0) <= 0.12 || (score.rsi ?? 100) <= 70;
  const passed = {
    score: score.score >= 75,
    movement: Math.abs(returnOf(score.parts, '4h') ?? 0) >= 0.03,
    'volume range': (score.vadr ?? 0) >= 2,
    'daily volume': score.dailyVolume >= 500_000,
    'trend quality': (score.adx ?? 0) >= 25 || (score.hurst ?? 0) >= 0.55,
    spread: ((ask - bid) / mid) * 1e4 <= 40,
    depth: Math.min(valueOf(book.bids), valueOf(book.asks)) >= 150_000,
    fatigue: (score.rsi !== null && calm) || (score.acceleration ?? 0) >= 0.02,
  };
  return Object.entries(passed).flatMap(([name, ok]) => (ok ? [] : [name]));
}

function exitOf(open: Entry, { low, score, time }: MomentumScore): Entry['exit'] {
  if (low <= open.stop) return 'stop';
  if (score < 25) return 'momentum lost';
  return time - open.time >= 48 * HOUR ? 'time limit' : undefined;
}

function judge(score: MomentumScore, book: OrderBook): void {
  const { symbol, time, price, atr } = score;
  const last = entries.findLast(entry => entry.symbol === symbol);
  if (last && last.exit === undefined) {
    const exit = exitOf(last, score);
    if (exit) Object.assign(last, { exit, exitTime: time });
    return;
  }
  const failed = gatesFailed(score, book);
  if (failed.length === 1) onlyFailures.add(failed[0]!);
  if (failed.length > 0 || time <= (last?.exitTime ?? 0) + 6 * HOUR) return;
  entries.push({ symbol, time, stop: price - 2 * atr });
}

function onBar(bar: MarketPrice): void {
  const { venue, symbol, price, time, open = 0, high = 0, low = 0, volume = 0 } = bar;
  if (!(price > 0) || high < low) return;
  const state = states.get(symbol) ?? seedMomentum(defaultMomentumSettings);
  states.set(symbol, state);
  const closedBy = { time, price };
  const closed = {
    venue,
    symbol,
    intervalMs: 60_000,
    end: time,
    open,
    high,
    low,
    close: price,
    volume,
    closedBy,
  };
  const score = scoreBar(state, closed, { label: 'choppy', time: null }, defaultMomentumSettings);
  const book = books.get(symbol);
  if (score && book) judge(score, book);
}

beforeAll(async () => {
  for await (const { items } of simulatorFeed().read(null, new AbortController().signal)) {
    for (const item of items) {
      if (item.kind === 'book') books.set(item.value.symbol, item.value);
      if (item.kind === 'price') onBar(item.value);
    }
  }
}, 30_000);

// The gates here are those of a choppy regime, written out by hand, without the pipelines' own.
describe('the entries of seed 42', () => {
  it('are some, not many, on several symbols', () => {
    expect(entries.length).toBeGreaterThanOrEqual(4);
    expect(entries.length).toBeLessThanOrEqual(15);
    expect(new Set(entries.map(({ symbol }) => symbol)).size).toBeGreaterThanOrEqual(3);
  });

  it('begin soon after the warm-up', () => {
    const first = ((entries[0]?.time ?? 0) - START) / HOUR;
    expect(first).toBeGreaterThanOrEqual(25);
    expect(first).toBeLessThanOrEqual(32);
  });

  it('end by stops, by lost momentum and by the time limit', () => {
    const exits = new Set(entries.map(({ exit }) => exit));
    expect([...exits]).toEqual(expect.arrayContaining(['stop', 'momentum lost', 'time limit']));
  });

  it('are missed narrowly by each gate alone', () => {
    expect([...onlyFailures].toSorted()).toEqual([
      'daily volume',
      'depth',
      'fatigue',
      'movement',
      'score',
      'spread',
      'trend quality',
      'volume range',
    ]);
  });
});
