import type { FeedItem } from '../feed.ts';
import { marketModel, type MarketMinute, type MarketModel } from './market.ts';
import { MINUTE_MS, type Simulation } from './options.ts';
import type { SimulatorPosition } from './position.ts';
import { minuteItems, secondItems } from './timeline.ts';

/** Walks the simulation step by step: minutes of history, then live seconds. */
export class Walk {
  readonly #simulation: Simulation;
  readonly #model: MarketModel;
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

  /** Whether the next step is a minute of the history. */
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

  /** The text from which another walk goes on behind the last item taken. */
  position(): string {
    const { market } = this.#simulation;
    return JSON.stringify({ market, step: this.#step, said: this.#said, prices: this.#prices });
  }

  /** Share of the history that was said, 0 to 1. */
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
