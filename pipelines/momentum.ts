import { type AsOf, decode, joinAsOf, publishTo, scanByKey } from '../operators/index.ts';
import { type Pipeline, pipeline } from '../src/index.ts';
import { dayMs, hourMs } from './bar-window.ts';
import type { MarketBar } from './market-bar.ts';
import { type RegimeAsOf, scoreBar } from './momentum-score.ts';
import { type MomentumSettings, defaultMomentumSettings } from './momentum-settings.ts';
import { type MomentumState, decodeMomentum, encodeMomentum, seedMomentum } from './momentum-state.ts';
import type { MomentumScore } from './momentum-value.ts';
import type { Regime } from './regime-value.ts';
import { universe } from './regime.ts';
import { toldOf } from './score-headers.ts';
import { stateKey } from './symbol-key.ts';
import { marketBars, momentumScores, regimeDetection } from './topics.ts';

/** A closed bar and the regime that it is scored under. */
interface Judged {
  readonly bar: MarketBar;
  readonly regime: RegimeAsOf;
}

/** One score per symbol and closed 1m bar, under the regime of the last 4h boundary. */
export function momentum(settings: MomentumSettings = defaultMomentumSettings): Pipeline {
  return pipeline(
    'momentum',
    ({ source, table, publisher, onFailure, state, meter, scheduler }) =>
      source(marketBars).pipe(
        decode(marketBars, { markers: true }),
        joinAsOf(
          table(regimeDetection).pipe(decode(regimeDetection, { name: 'decode-regime', markers: true })),
          (bar: MarketBar, { row }: AsOf<Regime>): Judged => ({
            bar,
            regime: { label: row?.label ?? 'unknown', time: row?.time ?? null },
          }),
          {
            name: 'regime-as-of',
            scope: 'broadcast',
            time: ({ end }) => Math.floor(end / (4 * hourMs)) * 4 * hourMs,
            key: () => universe,
            exact: true,
            // Six rows a day: kept for partitions that begin after others have gone far ahead.
            keepMs: 30 * dayMs,
            meter,
          },
        ),
        scanByKey<Judged, MomentumState, MomentumScore>(
          (known, { bar, regime }) => {
            const score = scoreBar(known, bar, regime, settings);
            return score ? [score] : [];
          },
          {
            name: 'momentum',
            key: ({ bar }) => stateKey(bar),
            seed: () => seedMomentum(settings),
            codec: { version: '1', encode: encodeMomentum, decode: json => decodeMomentum(json, settings) },
            state,
          },
        ),
        publishTo(momentumScores, publisher, {
          meter,
          scheduler,
          key: ({ symbol }) => symbol,
          time: ({ time }) => time,
          ordinal: ({ venue }) => venue,
          headers: toldOf,
        }),
        onFailure(),
      ),
    { summary: 'a momentum score per symbol and closed bar' },
  );
}
