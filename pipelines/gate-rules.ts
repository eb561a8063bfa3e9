import type { Message } from '../src/index.ts';
import { atLeast, atMost, notEvaluated } from './gate-bounds.ts';
import type { Bound } from './gate-bounds.ts';
import type { GateEvaluation, GateResult } from './gate-evaluation.ts';
import type { GateSettings } from './gate-settings.ts';
import type { MarketLiquidity } from './liquidity-measure.ts';
import { returnOf } from './momentum-parts.ts';
import type { MomentumScore } from './momentum-value.ts';
import { inWords, percentInWords } from './number-words.ts';
import { mayBeAtLeast } from './score-headers.ts';

/** The newest liquidity at or before the score; `not-carried` where the feed has no books; undefined: none yet. */
export type LiquidityInput = MarketLiquidity | 'not-carried' | undefined;

/** Whether a score is high enough to be evaluated at all. */
export function needsEvaluation(score: MomentumScore, settings: GateSettings): boolean {
  return score.score >= settings.evaluateFrom;
}

/** Whether a message may hold a score that needs an evaluation; where no header tells, it may. */
export function mayNeedEvaluation(
  message: Pick<Message, 'headers' | 'payload'>,
  settings: GateSettings,
): boolean {
  return message.payload === null || mayBeAtLeast(message, settings.evaluateFrom);
}

/** What a gate without input counts as: the setting, or for `auto` what suits the feed. */
export function missingCountsAs(setting: GateSettings['onMissing'], recordedBars: boolean): 'fail' | 'skip' {
  if (setting !== 'auto') return setting;
  return recordedBars ? 'skip' : 'fail';
}

function inPercent(share: number | null): number | null {
  return share === null ? null : share * 100;
}

function movement(score: MomentumScore, settings: GateSettings): GateResult {
  const move = inPercent(returnOf(score.parts, '4h'));
  return atLeast({
    name: 'movement',
    what: 'the move over 4 hours of',
    value: move === null ? null : Math.abs(move),
    threshold: settings.minMovePercent[score.regime],
    unit: '%',
  });
}

function activity({ vadr, dailyVolume, regime }: MomentumScore, settings: GateSettings): GateResult[] {
  const range = { name: 'volume range', what: 'activity of', value: vadr, unit: 'times the usual' } as const;
  const day = { name: 'daily volume', what: 'daily volume of', value: dailyVolume, unit: 'quote' } as const;
  return [
    atLeast({ ...range, threshold: settings.minVadr[regime] }),
    atLeast({ ...day, threshold: settings.minDailyVolume }),
  ];
}

/** Either measure is enough, so the one that passed is shown, and ADX where none did. */
function trendQuality({ adx, hurst }: MomentumScore, settings: GateSettings): GateResult {
  const byAdx = {
    name: 'trend quality',
    what: 'ADX',
    value: adx,
    threshold: settings.minAdx,
    unit: '',
  } as const;
  const byHurst = { ...byAdx, what: 'Hurst exponent', value: hurst, threshold: settings.minHurst };
  const adxResult = atLeast({ ...byAdx, unit: 'ADX' });
  const hurstResult = atLeast({ ...byHurst, unit: 'Hurst' });
  if (adxResult.status === 'passed') return { ...adxResult, reason: atLeast(byAdx).reason };
  if (hurstResult.status === 'passed') return { ...hurstResult, reason: atLeast(byHurst).reason };
  return { ...adxResult, reason: `${atLeast(byAdx).reason}, and ${atLeast(byHurst).reason}` };
}

type LiquidityGate = Omit<Bound, 'value'> & { readonly judge: (bound: Bound) => GateResult };

function bookGate(
  { judge, ...gate }: LiquidityGate,
  liquidity: LiquidityInput,
  valueOf: (known: MarketLiquidity) => number | null,
): GateResult {
  if (liquidity === 'not-carried') return notEvaluated(gate);
  return judge({ ...gate, value: liquidity === undefined ? null : valueOf(liquidity) });
}

function tradability(score: MomentumScore, liquidity: LiquidityInput, settings: GateSettings): GateResult[] {
  const widest = settings.maxSpreadBps[score.regime];
  const least = settings.minDepth[score.regime];
  const spread = { name: 'spread', what: 'spread', threshold: widest, unit: 'bps', judge: atMost } as const;
  const depth = { name: 'depth', what: 'depth', threshold: least, unit: 'quote', judge: atLeast } as const;
  return [
    bookGate(spread, liquidity, known => known.spreadBps),
    bookGate(depth, liquidity, known => Math.min(known.bidDepth, known.askDepth)),
  ];
}

function delaySeconds({ closedBy, time }: MomentumScore): number {
  return (closedBy.time - time) / 1_000;
}

function freshness(score: MomentumScore, settings: GateSettings): GateResult {
  const late = atMost({
    name: 'freshness',
    what: 'the bar was closed after',
    value: delaySeconds(score),
    threshold: settings.freshSeconds,
    unit: 's',
  });
  if (late.status === 'failed') return late;
  const moved = atMost({
    name: 'freshness',
    what: 'the price since the bar moved by',
    value: Math.abs(score.closedBy.price - score.price) / score.atr,
    threshold: settings.freshAtrs,
    unit: 'ATR',
  });
  return moved.status === 'failed' ? moved : { ...late, reason: `${late.reason}, and ${moved.reason}` };
}

/** Not tired: a large rise on a high RSI, unless it still gains speed. An RSI not yet known fails too. */
function fatigue(score: MomentumScore, { fatigue: limits }: GateSettings): GateResult {
  const rise = inPercent(returnOf(score.parts, '24h'));
  const base = { name: 'fatigue', value: rise, threshold: limits.risePercent, unit: '%' } as const;
  if (rise === null || score.rsi === null) {
    const reason = `the ${rise === null ? 'rise over 24 hours' : 'RSI of 4h closes'} is not known yet`;
    return { ...base, status: 'failed', reason };
  }
  const facts = `a rise of ${inWords(rise)} % over 24 hours at RSI ${inWords(score.rsi)}`;
  const isTired = rise > limits.risePercent && score.rsi > limits.rsi;
  const speed = inPercent(score.acceleration);
  if (!isTired) return { ...base, status: 'passed', reason: `${facts} is not tired` };
  const status = speed !== null && speed >= limits.accelerationPercent ? 'passed' : 'failed';
  const gain = score.acceleration === null ? 'not known' : percentInWords(score.acceleration);
  const asked = `at least ${inWords(limits.accelerationPercent)} % is asked for`;
  return { ...base, status, reason: `${facts} is tired; its acceleration is ${gain}, ${asked}` };
}

function allGates(score: MomentumScore, liquidity: LiquidityInput, settings: GateSettings): GateResult[] {
  const height = { name: 'score', what: 'score', value: score.score, unit: '' } as const;
  const late = { name: 'late fill', what: 'the bar was closed after', unit: 's' } as const;
  return [
    atLeast({ ...height, threshold: settings.minScore }),
    movement(score, settings),
    ...activity(score, settings),
    trendQuality(score, settings),
    ...tradability(score, liquidity, settings),
    freshness(score, settings),
    fatigue(score, settings),
    atMost({ ...late, value: delaySeconds(score), threshold: settings.lateFillSeconds }),
  ];
}

/**
 * Puts a score before all ten gates. An input not known yet fails its gate; one that the feed does not
 * carry is not evaluated, and `onMissing` decides (`recordedBars` says what `auto` means).
 *
 * @throws RangeError where the liquidity is of another symbol, or later than the score.
 */
export function evaluateGates(
  score: MomentumScore,
  liquidity: LiquidityInput,
  settings: GateSettings,
  recordedBars = false,
): GateEvaluation {
  const { venue, symbol, time, regime } = score;
  const known = liquidity === 'not-carried' ? undefined : liquidity;
  if (known !== undefined && (known.symbol !== symbol || known.venue !== venue || known.time > time)) {
    throw new RangeError(
      `Gates of ${symbol} at ${venue}, ${time}: liquidity of ${known.symbol} at ${known.venue}, ${known.time}, ` +
        'cannot be used. Join the newest book at or before the score.',
    );
  }
  const gates = allGates(score, liquidity, settings);
  const onMissing = missingCountsAs(settings.onMissing, recordedBars);
  const passed = gates.every(
    gate => gate.status === 'passed' || (gate.status === 'not-evaluated' && onMissing === 'skip'),
  );
  return {
    venue,
    symbol,
    time,
    score: score.score,
    regime,
    passed,
    onMissing,
    bookTime: known?.time ?? null,
    gates,
  };
}
