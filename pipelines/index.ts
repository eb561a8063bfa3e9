export { bars } from './bars.ts';
export { GateEvaluation } from './gate-evaluation.ts';
export { GateSettings, defaultGateSettings } from './gate-settings.ts';
export { gates } from './gates.ts';
export { LiquiditySettings, MarketLiquidity, defaultLiquiditySettings } from './liquidity-measure.ts';
export { liquidity } from './liquidity.ts';
export { MarketBar } from './market-bar.ts';
export { type MarketSettings, marketPipelines } from './market-pipelines.ts';
export { MomentumSettings, defaultMomentumSettings } from './momentum-settings.ts';
export { type MomentumPart, type MomentumParts, partsOf } from './momentum-parts.ts';
export { MomentumScore } from './momentum-value.ts';
export { type MomentumState, isMomentumState } from './momentum-state.ts';
export { type WarmUp, warmUp } from './momentum-warm-up.ts';
export { momentum } from './momentum.ts';
export { Notification } from './notification-text.ts';
export { notifications } from './notifications.ts';
export { RegimeSettings, defaultRegimeSettings } from './regime-settings.ts';
export { Regime } from './regime-value.ts';
export { regime } from './regime.ts';
export { type RetriesOptions, retries } from './retry.ts';
export { shippedPipelines } from './shipped-pipelines.ts';
export { SignalSettings, defaultSignalSettings } from './signal-settings.ts';
export { Signal } from './signal-value.ts';
export { signals } from './signals.ts';
export {
  gateEvaluations as gateEvaluationsTopic,
  marketBars,
  marketLiquidity,
  marketOrderbook,
  marketPrices,
  marketTopics,
  marketTrades,
  momentumScores,
  notifications as notificationsTopic,
  regimeDetection,
  signals as signalsTopic,
} from './topics.ts';
