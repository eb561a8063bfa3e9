import type { Pipeline } from '../src/index.ts';
import { bars } from './bars.ts';
import type { GateSettings } from './gate-settings.ts';
import { gates } from './gates.ts';
import type { LiquiditySettings } from './liquidity-measure.ts';
import { liquidity } from './liquidity.ts';
import type { MomentumSettings } from './momentum-settings.ts';
import { momentum } from './momentum.ts';
import { notifications } from './notifications.ts';
import type { RegimeSettings } from './regime-settings.ts';
import { regime } from './regime.ts';
import type { SignalSettings } from './signal-settings.ts';
import { signals } from './signals.ts';

/** What the chain can be told; what is left out has its default. */
export interface MarketSettings {
  /** What bars are made of, as the feed says. Default `prices`. */
  readonly barsFrom?: 'prices' | 'trades';
  readonly liquidity?: LiquiditySettings;
  readonly momentum?: MomentumSettings;
  readonly regime?: RegimeSettings;
  readonly gates?: GateSettings;
  readonly signals?: SignalSettings;
}

/** The whole chain from market prices to notifications, in the order of the data. */
export function marketPipelines(settings: MarketSettings = {}): readonly Pipeline[] {
  return [
    bars(settings.barsFrom),
    liquidity(settings.liquidity),
    regime(settings.regime),
    momentum(settings.momentum),
    gates(settings.gates),
    signals(settings.signals, settings.gates),
    notifications(settings.signals),
  ];
}
