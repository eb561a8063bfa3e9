import { type AsOf, decode, filterValues, joinAsOf, publishTo } from '../operators/index.ts';
import { type Pipeline, pipeline } from '../src/index.ts';
import type { GateEvaluation } from './gate-evaluation.ts';
import { type LiquidityInput, evaluateGates, mayNeedEvaluation, needsEvaluation } from './gate-rules.ts';
import { type GateSettings, defaultGateSettings } from './gate-settings.ts';
import type { MarketLiquidity } from './liquidity-measure.ts';
import type { MomentumScore } from './momentum-value.ts';
import { stateKey } from './symbol-key.ts';
import { gateEvaluations, marketLiquidity, momentumScores } from './topics.ts';

/** One evaluation per score that is high enough, with the liquidity as of its time. */
export function gates(settings: GateSettings = defaultGateSettings): Pipeline {
  const evaluate = (score: MomentumScore, { row, absent }: AsOf<MarketLiquidity>): GateEvaluation => {
    const input: LiquidityInput = absent ? 'not-carried' : row;
    return evaluateGates(score, input, settings, absent?.feed === 'bars');
  };
  return pipeline(
    'gates',
    ({ source, table, publisher, onFailure, meter, scheduler }) =>
      source(momentumScores).pipe(
        filterValues((_, message) => mayNeedEvaluation(message, settings), {
          name: 'told-to-be-high',
          meter,
        }),
        decode(momentumScores, { markers: true }),
        filterValues(score => needsEvaluation(score, settings), { name: 'high-enough', meter }),
        joinAsOf(
          table(marketLiquidity).pipe(decode(marketLiquidity, { name: 'decode-liquidity', markers: true })),
          evaluate,
          {
            name: 'liquidity-as-of',
            scope: 'partition',
            key: stateKey,
            rowKey: stateKey,
            time: ({ time }) => time,
            meter,
          },
        ),
        publishTo(gateEvaluations, publisher, { meter, scheduler, ordinal: ({ venue }) => venue }),
        onFailure(),
      ),
    { summary: 'ten gates before every high score' },
  );
}
