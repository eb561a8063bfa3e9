import type * as t from 'io-ts';
import {
  type Codec,
  MarketPrice,
  MarketTrade,
  OrderBook,
  type Topic,
  jsonCodec,
  topic,
} from '../src/index.ts';
import { GateEvaluation } from './gate-evaluation.ts';
import { MarketLiquidity } from './liquidity-measure.ts';
import { flawOfBook, flawOfPrice, flawOfTrade } from './market-data-checks.ts';
import { MarketBar } from './market-bar.ts';
import { MomentumScore } from './momentum-value.ts';
import { Notification } from './notification-text.ts';
import { Regime } from './regime-value.ts';
import { Signal } from './signal-value.ts';

const json = <A>(type: t.Type<A, unknown>, name: string): Codec<A> => jsonCodec(type, { name });

const priceCodec = jsonCodec(MarketPrice, { name: 'MarketPrice', check: flawOfPrice });
const tradeCodec = jsonCodec(MarketTrade, { name: 'MarketTrade', check: flawOfTrade });
const bookCodec = jsonCodec(OrderBook, { name: 'OrderBook', check: flawOfBook });

/** The topics of the chain; partitions and retention are those of `configs/stream/topics.yaml`. */
export const marketPrices: Topic<MarketPrice> = topic('cryptorun-market-prices', priceCodec, {
  partitions: 12,
});
export const marketTrades: Topic<MarketTrade> = topic('cryptorun-market-trades', tradeCodec, {
  partitions: 24,
});
export const marketOrderbook: Topic<OrderBook> = topic('cryptorun-market-orderbook', bookCodec, {
  partitions: 12,
});
export const marketBars: Topic<MarketBar> = topic('cryptorun-market-bars', json(MarketBar, 'MarketBar'), {
  partitions: 12,
});
export const marketLiquidity: Topic<MarketLiquidity> = topic(
  'cryptorun-market-liquidity',
  json(MarketLiquidity, 'MarketLiquidity'),
  { partitions: 6 },
);
export const momentumScores: Topic<MomentumScore> = topic(
  'cryptorun-momentum-scores',
  json(MomentumScore, 'MomentumScore'),
  { partitions: 6 },
);
export const regimeDetection: Topic<Regime> = topic('cryptorun-regime-detection', json(Regime, 'Regime'), {
  partitions: 3,
});
export const gateEvaluations: Topic<GateEvaluation> = topic(
  'cryptorun-gate-evaluations',
  json(GateEvaluation, 'GateEvaluation'),
  { partitions: 6 },
);
export const signals: Topic<Signal> = topic('cryptorun-signals', json(Signal, 'Signal'), { partitions: 6 });
export const notifications: Topic<Notification> = topic(
  'cryptorun-notifications',
  json(Notification, 'Notification'),
  { partitions: 3 },
);

/** Every topic of the chain, in the order in which data goes through them. */
export const marketTopics: readonly Topic<unknown>[] = [
  marketPrices,
  marketTrades,
  marketOrderbook,
  marketBars,
  marketLiquidity,
  regimeDetection,
  momentumScores,
  gateEvaluations,
  signals,
  notifications,
].map(({ name, codec, settings }) => ({ name, codec, settings }));
