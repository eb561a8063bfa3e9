import { closeBar, openBar, updateOfPrice } from '../../pipelines/bar-aggregate.ts';
import { evaluateGates, needsEvaluation } from '../../pipelines/gate-rules.ts';
import { defaultGateSettings } from '../../pipelines/gate-settings.ts';
import type { MarketBar } from '../../pipelines/market-bar.ts';
import { type RegimeAsOf, scoreBar } from '../../pipelines/momentum-score.ts';
import { defaultMomentumSettings } from '../../pipelines/momentum-settings.ts';
import { type MomentumState, seedMomentum } from '../../pipelines/momentum-state.ts';
import { defaultRegimeSettings } from '../../pipelines/regime-settings.ts';
import { addRegimeBar, classifyAt, nextBoundary, seedRegime } from '../../pipelines/regime-state.ts';
import { type SignalState, onScore, seedSignals } from '../../pipelines/signal-rules.ts';
import { defaultSignalSettings } from '../../pipelines/signal-settings.ts';
import type { FeedItem } from '../../src/feeds/feed.ts';
import type { MarketPrice } from '../../src/feeds/market-data.ts';
import type { Effort, Measured } from './benchmark.ts';
import { barsFor } from './recorded-bars.ts';
import { stopwatch } from './stopwatch.ts';

const minuteMs = 60_000;
const boundaryMs = 240 * minuteMs;

/** The same bars through the same functions in a plain loop: no bus, no bytes, nothing to recover. */
export async function chainMaths(effort: Effort): Promise<Measured> {
  const items = await readAll(effort);
  const maths = new Maths();
  const lap = stopwatch();
  for (const item of items) {
    if (item.kind === 'price') maths.price(item.value);
    else if (item.kind === 'time') maths.minute(item.time);
  }
  return { ...lap(maths.bars), note: `${maths.bars} bars, ${maths.signals} signals by the maths alone` };
}

async function readAll(effort: Effort): Promise<readonly FeedItem[]> {
  const { feed } = barsFor(effort);
  const items: FeedItem[] = [];
  for await (const batch of feed.read(null, new AbortController().signal)) items.push(...batch.items);
  return items;
}

interface SymbolState {
  readonly momentum: MomentumState;
  readonly signals: SignalState;
}

class Maths {
  readonly #regime = seedRegime('all');
  readonly #symbols = new Map<string, SymbolState>();
  #asOf: RegimeAsOf = { label: 'unknown', time: null };
  #boundary: number | undefined;
  #waiting: MarketBar[] = [];
  bars = 0;
  signals = 0;

  price(price: MarketPrice): void {
    const { venue, symbol, time } = price;
    const window = { venue, symbol, intervalMs: minuteMs, end: time };
    const bar = closeBar(openBar(updateOfPrice(price), 0), window, { time, price: price.price });
    this.bars++;
    this.#boundary ??= nextBoundary(bar.end);
    addRegimeBar(this.#regime, bar, defaultRegimeSettings);
    this.#waiting.push(bar);
  }

  /** The minute is over: the regime of its end is known, and so are the scores under it. */
  minute(time: number): void {
    while (this.#boundary !== undefined && this.#boundary <= time) {
      const classified = classifyAt(this.#regime, this.#boundary, defaultRegimeSettings);
      if (classified) this.#asOf = { label: classified.label, time: classified.time };
      this.#boundary += boundaryMs;
    }
    for (const bar of this.#waiting) this.#score(bar);
    this.#waiting = [];
  }

  #score(bar: MarketBar): void {
    const state = this.#stateOf(`${bar.venue} ${bar.symbol}`);
    const score = scoreBar(state.momentum, bar, this.#asOf, defaultMomentumSettings);
    if (score === undefined) return;
    const evaluation = needsEvaluation(score, defaultGateSettings)
      ? evaluateGates(score, 'not-carried', defaultGateSettings, true)
      : undefined;
    const idFor = (kind: string, time: number): string => `${kind} ${time}`;
    this.signals += onScore(state.signals, score, evaluation, defaultSignalSettings, idFor).length;
  }

  #stateOf(key: string): SymbolState {
    const known = this.#symbols.get(key);
    if (known) return known;
    const fresh = { momentum: seedMomentum(defaultMomentumSettings), signals: seedSignals() };
    this.#symbols.set(key, fresh);
    return fresh;
  }
}
