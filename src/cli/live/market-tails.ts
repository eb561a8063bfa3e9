import { Subscription } from 'rxjs';
import { type Regime, type Signal, regimeDetection, signalsTopic } from '../../../pipelines/index.ts';
import type { EventBus } from '../../bus/event-bus.ts';
import type { SignalTally } from '../view/live-state.ts';
import { tail } from './topic-tail.ts';

const signalsKept = 12;

/** The last signals and the regime, as everybody can read them on a bus. */
export class MarketTails {
  readonly #tails = new Subscription();
  readonly #tallies = new Map<string, SignalTally>();
  #signals: Signal[] = [];
  #regime: Regime | undefined;

  /** @param failed told where a topic cannot be read on */
  constructor(bus: EventBus, failed?: (error: unknown) => void) {
    this.#tails.add(tail(bus, signalsTopic, signal => this.#signalled(signal), 'earliest', failed));
    this.#tails.add(tail(bus, regimeDetection, regime => (this.#regime = regime), 'earliest', failed));
  }

  /** Newest first. */
  get signals(): readonly Signal[] {
    return this.#signals;
  }

  get tallies(): readonly SignalTally[] {
    return [...this.#tallies.values()];
  }

  get regime(): Regime | undefined {
    return this.#regime;
  }

  close(): void {
    this.#tails.unsubscribe();
  }

  #signalled(signal: Signal): void {
    if (this.#signals.some(({ id }) => id === signal.id)) return;
    this.#signals = [signal, ...this.#signals].slice(0, signalsKept);
    const { venue, symbol, kind } = signal;
    const before = this.#tallies.get(`${venue} ${symbol}`) ?? { venue, symbol, entries: 0, exits: 0 };
    const entries = before.entries + (kind === 'entry' ? 1 : 0);
    const exits = before.exits + (kind === 'exit' ? 1 : 0);
    this.#tallies.set(`${venue} ${symbol}`, { venue, symbol, entries, exits });
  }
}
