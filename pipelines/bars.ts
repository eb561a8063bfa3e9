import { type WindowAggregate, decode, publishTo, tumblingWindow } from '../operators/index.ts';
import {
  type MarketPrice,
  type MarketTrade,
  type Message,
  type Pipeline,
  type Topic,
  isMarker,
  jsonState,
  pipeline,
  decodeState,
} from '../src/index.ts';
import {
  BarAggregate,
  type BarUpdate,
  addToBar,
  closeBar,
  openBar,
  updateOfPrice,
  updateOfTrade,
} from './bar-aggregate.ts';
import { minuteMs } from './bar-window.ts';
import { aheadOfIngest } from './ingest-check.ts';
import type { MarketBar } from './market-bar.ts';
import { type SymbolAtVenue, stateKey, symbolOf } from './symbol-key.ts';
import { marketBars, marketPrices, marketTrades } from './topics.ts';

/** How long a bar waits for updates out of order, ms of event time. */
const latenessMs = 2_000;

type Update = SymbolAtVenue & { readonly time: number; readonly price: number; readonly intervalMs?: number };

function barsOf<A extends Update>(
  updateOf: (value: A) => BarUpdate,
): WindowAggregate<A, BarAggregate, MarketBar> {
  return {
    open: (value, { offset }) => openBar(updateOf(value), offset),
    add: (bar, value, { offset }) => addToBar(bar, updateOf(value), offset),
    close: (bar, end, by, key) => {
      const closedBy = { time: by.time, price: isMarker(by) ? bar.close : by.price };
      return closeBar(bar, { ...symbolOf(key), intervalMs: minuteMs, end }, closedBy);
    },
  };
}

const aggregateCodec = jsonState('1', json => decodeState('bars', BarAggregate, json));

/** Summed-up prices are told apart by what they sum up; single ones may come twice without harm. */
function identityOfPrice({ time, intervalMs }: MarketPrice): string | undefined {
  return intervalMs === undefined ? undefined : `${time} ${intervalMs}`;
}

function barsFrom<A extends Update>(
  topic: Topic<A>,
  updateOf: (value: A) => BarUpdate,
  identity: (value: A, message: Message) => string | undefined,
): Pipeline {
  return pipeline(
    'bars',
    ({ source, publisher, onFailure, state, meter, scheduler }) =>
      source(topic).pipe(
        decode(topic, { markers: true, check: aheadOfIngest }),
        tumblingWindow(barsOf(updateOf), {
          name: 'bars',
          sizeMs: minuteMs,
          latenessMs,
          time: ({ time }) => time,
          key: stateKey,
          // A feed's own bar of a minute is complete: nothing is to be waited for.
          identity,
          completes: ({ intervalMs, time }, end) => intervalMs !== undefined && time === end,
          codec: aggregateCodec,
          state,
          meter,
        }),
        publishTo(marketBars, publisher, {
          meter,
          scheduler,
          key: bar => bar.symbol,
          time: bar => bar.end,
          ordinal: bar => bar.venue,
        }),
        onFailure(),
      ),
    { summary: `closed 1m bars out of ${topic.name}` },
  );
}

/** Closed 1m bars, out of prices or out of trades, never both. */
export function bars(from: 'prices' | 'trades' = 'prices'): Pipeline {
  return from === 'prices'
    ? barsFrom<MarketPrice>(marketPrices, updateOfPrice, identityOfPrice)
    : barsFrom<MarketTrade>(marketTrades, updateOfTrade, (_, { id }) => id);
}
