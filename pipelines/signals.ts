import { type AsOf, decode, joinAsOf, publishTo, scanByKey } from '../operators/index.ts';
import { type Later, type Pipeline, deriveId, later, pipeline } from '../src/index.ts';
import type { GateEvaluation } from './gate-evaluation.ts';
import { mayNeedEvaluation, needsEvaluation } from './gate-rules.ts';
import { type GateSettings, defaultGateSettings } from './gate-settings.ts';
import type { MomentumScore } from './momentum-value.ts';
import { stateKeyTold } from './score-headers.ts';
import {
  type SignalState,
  decodeSignals,
  encodeSignals,
  isIdle,
  onScore,
  passBy,
  seedSignals,
} from './signal-rules.ts';
import { type SignalSettings, defaultSignalSettings } from './signal-settings.ts';
import type { Signal } from './signal-value.ts';
import { stateKey } from './symbol-key.ts';
import { gateEvaluations, momentumScores, signals as signalsTopic } from './topics.ts';

const name = 'signals';

/** A score with the evaluation of just that score, where it has one. */
interface Evaluated {
  readonly score: Later<MomentumScore>;
  readonly evaluation: GateEvaluation | undefined;
}

/** What tells apart signals of one symbol and time. */
const ordinalOf = (kind: Signal['kind'], venue: string): string => `${kind} ${venue}`;

/** Entries and exits out of scores and their evaluations. */
export function signals(
  settings: SignalSettings = defaultSignalSettings,
  gateSettings: GateSettings = defaultGateSettings,
): Pipeline {
  return pipeline(
    name,
    ({ source, table, publisher, onFailure, state, meter, scheduler }) =>
      source(momentumScores).pipe(
        // Most scores are low and of symbols without an open signal: nothing of them is read but their headers.
        decode(later(momentumScores), { markers: true }),
        joinAsOf(
          table(gateEvaluations).pipe(decode(gateEvaluations, { name: 'decode-evaluation', markers: true })),
          (score: Later<MomentumScore>, { row }: AsOf<GateEvaluation>, { timestamp }): Evaluated => ({
            score,
            evaluation: row?.time === timestamp ? row : undefined,
          }),
          {
            name: 'evaluation-of-score',
            scope: 'partition',
            key: ({ value }) => stateKey(value),
            rowKey: stateKey,
            needed: (score, message) =>
              mayNeedEvaluation(message, gateSettings) && needsEvaluation(score.value, gateSettings),
            exact: true,
            meter,
          },
        ),
        scanByKey<Evaluated, SignalState, Signal>(
          (known, { score, evaluation }, { timestamp }) => {
            if (evaluation === undefined && isIdle(known)) {
              passBy(known, timestamp);
              return [];
            }
            const { value } = score;
            return onScore(known, value, evaluation, settings, (kind, time) =>
              deriveId(name, signalsTopic.name, value.symbol, time, ordinalOf(kind, value.venue)),
            );
          },
          {
            name: 'signals',
            key: ({ score }, message) => stateKeyTold(message, score),
            seed: seedSignals,
            codec: { version: '1', encode: encodeSignals, decode: decodeSignals },
            state,
          },
        ),
        publishTo(signalsTopic, publisher, {
          meter,
          scheduler,
          key: ({ symbol }) => symbol,
          time: ({ time }) => time,
          ordinal: ({ kind, venue }) => ordinalOf(kind, venue),
        }),
        onFailure(),
      ),
    { summary: 'entries and exits' },
  );
}
