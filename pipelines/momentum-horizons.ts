import * as t from 'io-ts';
import { hourMs } from './bar-window.ts';

/** How far back a return looks. */
export type Horizon = '1h' | '4h' | '12h' | '24h' | '7d';

export const Horizon: t.Type<Horizon> = t.keyof({
  '1h': null,
  '4h': null,
  '12h': null,
  '24h': null,
  '7d': null,
});

/** One value for each horizon. */
export type PerHorizon<A> = Readonly<Record<Horizon, A>>;

/** Each horizon's length in hours. */
export const horizonHours: PerHorizon<number> = { '1h': 1, '4h': 4, '12h': 12, '24h': 24, '7d': 168 };

/** All horizons, shortest first. */
export const horizons: readonly Horizon[] = ['1h', '4h', '12h', '24h', '7d'];

/** The horizons without which there is no score. */
export const neededHorizons: readonly Horizon[] = ['1h', '4h', '12h', '24h'];

/** A horizon's length in milliseconds. */
export function horizonMs(horizon: Horizon): number {
  return horizonHours[horizon] * hourMs;
}
