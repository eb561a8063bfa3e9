import type { GateEvaluation } from '../../../pipelines/gate-evaluation.ts';
import type { MarketBar } from '../../../pipelines/market-bar.ts';
import type { MomentumScore } from '../../../pipelines/momentum-value.ts';
import type { Regime } from '../../../pipelines/regime-value.ts';
import type { EntrySignal, Signal } from '../../../pipelines/signal-value.ts';
import type { ChainLink } from './find-chain.ts';

/** One price or trade that went into the bar. */
export interface BarInput {
  /** `bar`: a price that sums up an interval. */
  readonly kind: 'price' | 'bar' | 'trade';
  /** Event time, ms. */
  readonly time: number;
  readonly price: number;
  /** In units of the base currency, where the input says. */
  readonly volume: number | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Everything that led to one signal. What is no longer kept is undefined. */
export interface Explanation {
  readonly signal: Signal;
  /** Of an exit: the entry that it ends. */
  readonly entry: EntrySignal | undefined;
  readonly score: MomentumScore | undefined;
  readonly evaluation: GateEvaluation | undefined;
  /** The one that the score used. */
  readonly regime: Regime | undefined;
  /** The 1m bar that ended at the score's time. */
  readonly bar: MarketBar | undefined;
  /** What went into the bar, oldest first. */
  readonly inputs: readonly BarInput[];
  /** From the signal back to its first cause; then inputs of the same time that are not among the causes. */
  readonly chain: readonly ChainLink[];
  /** What could not be found or read, in words. */
  readonly notes: readonly string[];
  /** The scale of the score's tanh; 2 where settings are not known. */
  readonly scoreScale: number;
}

/**
 * The explanation as one JSON object: the fields of {@link Explanation}, null for what is not kept, `type`
 * (`explanation`) and `version` (1).
 */
export function explanationJson(explanation: Explanation): string {
  const { entry, score, evaluation, regime, bar, ...rest } = explanation;
  const parts = { entry, score, evaluation, regime, bar };
  const known = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part ?? null]));
  return JSON.stringify({ type: 'explanation', version: 1, ...rest, ...known });
}
