import * as t from 'io-ts';
import { minuteMs } from './bar-window.ts';

/** The event that showed that a bar was complete. */
export interface ClosedBy {
  /** Event time, ms. */
  readonly time: number;
  readonly price: number;
}

export const ClosedBy: t.Type<ClosedBy> = t.type({ time: t.number, price: t.number });

/** One closed bar: what happened to a symbol at a venue in `(end - intervalMs, end]`. */
export interface MarketBar {
  readonly venue: string;
  /** `BASE-QUOTE`, upper case. */
  readonly symbol: string;
  readonly intervalMs: number;
  /** Event time, ms, a multiple of `intervalMs`. */
  readonly end: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** In units of the base currency. */
  readonly volume: number;
  readonly closedBy: ClosedBy;
}

export const MarketBar: t.Type<MarketBar> = t.type({
  venue: t.string,
  symbol: t.string,
  intervalMs: t.number,
  end: t.number,
  open: t.number,
  high: t.number,
  low: t.number,
  close: t.number,
  volume: t.number,
  closedBy: ClosedBy,
});

function flawOf(bar: MarketBar): string | undefined {
  if (bar.intervalMs !== minuteMs) return `intervalMs is ${bar.intervalMs}, expected ${minuteMs}`;
  if (!(bar.end > 0 && bar.end % minuteMs === 0)) return `end ${bar.end} is not the end of a minute`;
  if (!(bar.low > 0 && bar.close > 0 && bar.high < Infinity)) return 'a price is not finite or not above 0';
  if (!(bar.low <= bar.close && bar.close <= bar.high)) return 'its close lies outside of low to high';
  if (!(bar.volume >= 0 && bar.volume < Infinity)) return `volume is ${bar.volume}, expected 0 or more`;
  return undefined;
}

/**
 * Refuses what is no sound 1m bar, before any state changes.
 *
 * @throws RangeError that names symbol, end and flaw.
 */
export function requireMinuteBar(bar: MarketBar): void {
  const flaw = flawOf(bar);
  if (flaw === undefined) return;
  throw new RangeError(
    `Bar of ${bar.symbol} at ${bar.venue} ending ${bar.end}: ${flaw}. Write closed, epoch-aligned 1m bars.`,
  );
}
