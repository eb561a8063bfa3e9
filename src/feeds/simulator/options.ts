import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { FeedError } from '../feed.ts';
import { simulatedSymbols, type SymbolProfile } from './symbols.ts';

/** Settings of the simulator feed. */
export interface SimulatorOptions {
  /** Decides everything that happens; a whole number. Default 42. */
  readonly seed?: number;
  /** Begin of the history, ms UTC, rounded down to a whole minute. Default 2026-01-05T00:00Z. */
  readonly start?: number;
  /** Number of symbols, 1 to 1000. Default 12. */
  readonly symbols?: number;
  /** Length of the history in days, above 0 to 3650. Default 10. */
  readonly days?: number;
  /** Goes on after the history, one simulated second per second. Default false: it ends. */
  readonly live?: boolean;
  /** Paces the live part. Default: rxjs `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Most items in one batch, 1 to 512. Default 512. */
  readonly batchSize?: number;
}

const DEFAULT_START = Date.UTC(2026, 0, 5);
/** One minute in ms. */
export const MINUTE_MS: number = 60_000;

/** Options with their defaults filled in and checked. */
export interface Simulation {
  readonly seed: number;
  readonly start: number;
  readonly profiles: readonly SymbolProfile[];
  /** Minutes of history; later steps are seconds. */
  readonly minutes: number;
  readonly live: boolean;
  readonly scheduler: SchedulerLike;
  readonly batchSize: number;
  /** Tells positions of this market from those of another. */
  readonly market: string;
}

function inRange(name: string, value: number, low: number, high: number, whole = true): number {
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  const message = `simulator: option ${name} is ${value}; give ${kind} from ${low} to ${high}`;
  throw new FeedError('simulator', message);
}

/**
 * Fills in the defaults.
 * @throws FeedError for an option out of its range.
 */
export function simulationOf(options: SimulatorOptions): Simulation {
  const seed = inRange('seed', options.seed ?? 42, 0, 2 ** 32 - 1);
  const from = inRange('start', options.start ?? DEFAULT_START, 0, 8e15);
  const start = Math.floor(from / MINUTE_MS) * MINUTE_MS;
  const symbols = inRange('symbols', options.symbols ?? 12, 1, 1000);
  const days = inRange('days', options.days ?? 10, 1 / 1440, 3650, false);
  const minutes = Math.floor(days * 1440);
  return {
    seed,
    start,
    profiles: simulatedSymbols(symbols),
    minutes,
    live: options.live ?? false,
    scheduler: options.scheduler ?? asyncScheduler,
    batchSize: inRange('batchSize', options.batchSize ?? 512, 1, 512),
    market: `seed ${seed}, start ${start}, ${symbols} symbols, ${minutes} minutes`,
  };
}
