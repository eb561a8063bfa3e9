import { decode, publishTo, scanByKey } from '../operators/index.ts';
import { type Marker, type Pipeline, type StateCodec, isMarker, pipeline } from '../src/index.ts';
import { hourMs } from './bar-window.ts';
import type { MarketBar } from './market-bar.ts';
import { type RegimeSettings, defaultRegimeSettings } from './regime-settings.ts';
import {
  type RegimeState,
  addRegimeBar,
  classifyAt,
  decodeRegime,
  encodeRegime,
  nextBoundary,
  seedRegime,
} from './regime-state.ts';
import type { Regime } from './regime-value.ts';
import { marketBars, regimeDetection } from './topics.ts';
import { UniverseMarks } from './universe-marks.ts';

/** The one universe that there is. */
export const universe = 'all';

interface State {
  readonly regime: RegimeState;
  readonly marks: UniverseMarks;
}

const codec: StateCodec<State> = {
  version: '1',
  encode: ({ regime, marks }) => ({ regime: encodeRegime(regime), marks: marks.encode() }),
  decode: json => {
    const { regime, marks } = json as { readonly regime: unknown; readonly marks: unknown };
    return { regime: decodeRegime(regime), marks: UniverseMarks.decode(marks) };
  },
};

/** The regime of the whole market, once for each 4h boundary that every partition has passed. */
export function regime(settings: RegimeSettings = defaultRegimeSettings): Pipeline {
  return pipeline(
    'regime',
    ({ source, publisher, onFailure, state, meter, scheduler }) =>
      source(marketBars).pipe(
        decode(marketBars, { markers: true }),
        scanByKey<MarketBar | Marker, State, Regime>(
          ({ regime: known, marks }, value, { partition }) => {
            if (!isMarker(value)) {
              addRegimeBar(known, value, settings);
              marks.bar(value.end);
              return [];
            }
            marks.mark(partition, value);
            return boundariesPassed(known, marks, settings);
          },
          {
            name: 'regime',
            scope: 'pipeline',
            key: () => universe,
            seed: () => ({
              regime: seedRegime(universe),
              marks: new UniverseMarks(publisher.partitionsOf(marketBars.name)),
            }),
            codec,
            state,
          },
        ),
        publishTo(regimeDetection, publisher, {
          meter,
          scheduler,
          key: () => universe,
          time: ({ time }) => time,
          ordinal: () => 0,
        }),
        onFailure(),
      ),
    { summary: 'the regime of the whole market at each 4h boundary', members: 'one' },
  );
}

function boundariesPassed(known: RegimeState, marks: UniverseMarks, settings: RegimeSettings): Regime[] {
  const { firstEnd, watermark } = marks;
  const regimes: Regime[] = [];
  if (firstEnd === undefined) return regimes;
  let boundary = known.boundary === null ? nextBoundary(firstEnd) : known.boundary + 4 * hourMs;
  for (; boundary <= watermark; boundary += 4 * hourMs) {
    const classified = classifyAt(known, boundary, settings);
    if (classified) regimes.push(classified);
  }
  return regimes;
}
