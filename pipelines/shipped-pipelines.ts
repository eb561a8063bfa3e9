import type { Pipeline } from '../src/index.ts';
import { type MarketSettings, marketPipelines } from './market-pipelines.ts';
import { retries } from './retry.ts';

/** Every pipeline that a bundle may name: the chain, and what serves other pipelines. */
export function shippedPipelines(settings: MarketSettings = {}): readonly Pipeline[] {
  return [...marketPipelines(settings), retries()];
}
