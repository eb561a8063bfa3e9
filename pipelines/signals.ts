import { type AsOf, decode, joinAsOf, publishTo, scanByKey } from '../operators/index.ts';
import { type Pipeline, deriveId, pipeline } from '../src/index.ts';
import type { GateEvaluation } from './gate-evaluation.ts';
import { needsEvaluation } from './gate-rules.ts';
import { type GateSettings, defaultGateSettings } from './gate-settings.ts';
import type { MomentumScore } from './momentum-value.ts';
import { type SignalState, decodeSignals, encodeSignals, onScore, seedSignals } from './signal-rules.ts';
import { type SignalSettings, defaultSignalSettings } from './signal-settings.ts';
import type { Signal } from './signal-value.ts';
import { stateKey } from './symbol-key.ts';
import { gateEvaluations, momentumScores, signals as signalsTopic } from './topics.ts';

const name = 'signals';

/** A score with the evaluation of just that score, where it has one. */
interface Evaluated {
  readonly score: MomentumScore;
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
        decode(momentumScores, { markers: true }),
        joinAsOf(
          table(gateEvaluations).pipe(decode(gateEvaluations, { name: 'decode-evaluation', markers: true })),
          (score: MomentumScore, { row }: AsOf<GateEvaluation>): Evaluated => ({
            score,
            evaluation: row?.time === score.time ? row : undefined,
          }),
          {
            name: 'evaluation-of-score',
            scope: 'partition',
            tablePartitions: publisher.partitionsOf(gateEvaluations.name),
            key: stateKey,
            rowKey: stateKey,
            time: ({ time }) => time,
            needed: score => needsEvaluation(score, gateSettings),
            exact: true,
            meter,
          },
        ),
        scanByKey<Evaluated, SignalState, Signal>(
          (known, { score, evaluation }) =>
            onScore(known, score, evaluation, settings, (kind, time) =>
              deriveId(name, signalsTopic.name, score.symbol, time, ordinalOf(kind, score.venue)),
            ),
          {
            name: 'signals',
            key: ({ score }) => stateKey(score),
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
