import type { Feed, FeedBatch, FeedItem } from './feed.ts';
import { simulationOf, type Simulation, type SimulatorOptions } from './simulator/options.ts';
import { wait } from './simulator/pace.ts';
import { readPosition } from './simulator/position.ts';
import { Walk } from './simulator/walk.ts';
import { steadyNow } from '../core/steady-clock.ts';

export type { SimulatorOptions } from './simulator/options.ts';

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
  const began = steadyNow(scheduler);
  for (let second = 1; ; second++) {
    await wait(began + second * 1000 - steadyNow(scheduler), scheduler, signal);
    let done = false;
    while (!done) {
      if (signal.aborted) return;
      const items = walk.take(batchSize);
      done = items.at(-1)?.kind === 'time';
      yield { items, position: walk.position(), progress: 1, isLive: true };
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
