import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { FeedError, type Feed, type FeedBatch, type FeedItem } from './feed.ts';
import { marketModel, type MarketMinute } from './simulator/market.ts';
import { wait } from './simulator/pace.ts';
import { readPosition, type SimulatorPosition } from './simulator/position.ts';
import { simulatedSymbols, type SymbolProfile } from './simulator/symbols.ts';
import { minuteItems, secondItems } from './simulator/timeline.ts';

/** Settings of {@link simulatorFeed}. */
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
const MINUTE_MS = 60_000;

interface Simulation {
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

function simulationOf(options: SimulatorOptions): Simulation {
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

/** Walks the simulation step by step: minutes of history, then live seconds. */
class Walk {
  readonly #simulation: Simulation;
  readonly #model: (minute: number, prices: readonly number[]) => MarketMinute;
  #market: MarketMinute | undefined;
  #prices: readonly number[];
  #step: number;
  #said: number;
  #items: readonly FeedItem[] | undefined;

  constructor(simulation: Simulation, from: SimulatorPosition | null) {
    this.#simulation = simulation;
    const { seed, start, profiles } = simulation;
    this.#model = marketModel(seed, start, profiles);
    this.#prices = from?.prices ?? profiles.map(({ level }) => level);
    this.#step = from?.step ?? 0;
    this.#said = from?.said ?? 0;
  }

  get inHistory(): boolean {
    return this.#step < this.#simulation.minutes;
  }

  /** At most `room` further items of the current step; goes to the next step behind its last. */
  take(room: number): readonly FeedItem[] {
    const items = (this.#items ??= this.#generate());
    const part = items.slice(this.#said, this.#said + room);
    this.#said += part.length;
    if (this.#said >= items.length) this.#advance();
    return part;
  }

  position(): string {
    const { market } = this.#simulation;
    return JSON.stringify({ market, step: this.#step, said: this.#said, prices: this.#prices });
  }

  progress(): number {
    return Math.min(1, this.#step / this.#simulation.minutes);
  }

  #minute(): number {
    const live = this.#step - this.#simulation.minutes;
    return live < 0 ? this.#step : this.#simulation.minutes + Math.floor(live / 60);
  }

  #generate(): readonly FeedItem[] {
    const { seed, start, minutes } = this.#simulation;
    const minute = this.#minute();
    const market = (this.#market ??= this.#model(minute, this.#prices));
    const begin = start + minute * MINUTE_MS;
    if (this.inHistory) return minuteItems(seed, begin, market);
    return secondItems(seed, begin, market, (this.#step - minutes) % 60);
  }

  #advance(): void {
    const before = this.#minute();
    this.#step++;
    this.#said = 0;
    this.#items = undefined;
    if (this.#minute() === before || this.#market === undefined) return;
    this.#prices = this.#market.symbols.map(({ close }) => close);
    this.#market = undefined;
  }
}

/** One batch of history, filled over as many minutes as fit. */
function historyBatch(walk: Walk, size: number): FeedBatch {
  const items: FeedItem[] = [];
  while (items.length < size && walk.inHistory) items.push(...walk.take(size - items.length));
  return { items, position: walk.position(), progress: walk.progress() };
}

async function* read(
  simulation: Simulation,
  position: string | null,
  signal: AbortSignal,
): AsyncGenerator<FeedBatch, void, undefined> {
  const { market, profiles, batchSize, scheduler } = simulation;
  const from = position === null ? null : readPosition(position, market, profiles.length);
  const walk = new Walk(simulation, from);
  while (walk.inHistory && !signal.aborted) yield historyBatch(walk, batchSize);
  if (!simulation.live) return;
  // Due times, not delays, are counted: a slow reader does not make the simulation fall behind.
  const began = scheduler.now();
  for (let second = 1; ; second++) {
    await wait(began + second * 1000 - scheduler.now(), scheduler, signal);
    let done = false;
    while (!done) {
      if (signal.aborted) return;
      const items = walk.take(batchSize);
      done = items.at(-1)?.kind === 'time';
      yield { items, position: walk.position(), progress: 1 };
    }
  }
}

/**
 * A market that is made up from a seed: correlated random walks with regimes, pumps, near misses,
 * crashes, halts, bad ticks, repetitions and late books. The same options say the same items in
 * the same order, however they are batched, resumed or paced.
 *
 * The history comes as fast as it is pulled: a bar, a book and some trades per symbol and minute,
 * and a time marker behind each minute. Live, the market goes on where the history ended, with
 * books and trades in between and a marker each second. Event times are the simulation's own.
 *
 * @throws FeedError for an option out of its range; reading rejects with one for a position that
 * does not belong to these options.
 * @example
 * for await (const batch of simulatorFeed({ days: 2 }).read(null, signal)) use(batch.items);
 */
export function simulatorFeed(options: SimulatorOptions = {}): Feed {
  const simulation = simulationOf(options);
  return {
    name: 'simulator',
    contents: { prices: 'bars', trades: true, books: true },
    read: (position, signal) => read(simulation, position, signal),
  };
}
