import type { EventBus } from '../../bus/event-bus.ts';
import { reasonOf } from '../../core/failure.ts';
import type { PipelineTotal } from '../../supervisor/pipeline-totals.ts';
import type { WorkerReport } from '../../supervisor/worker-status.ts';
import type { Terminal } from '../terminal.ts';
import { renderFleet } from '../view/fleet-screen.ts';
import type { FleetState } from '../view/fleet-state.ts';
import { Painter } from '../view/painter.ts';
import { MarketTails } from './market-tails.ts';
import type { ProblemsLogger } from './problems-logger.ts';

/** What the view is told that the workers do not say. */
export type FleetFacts = Pick<FleetState, 'title' | 'explainCommand' | 'log'>;

/** Several workers, redrawn in place; what they write by themselves is for a file. */
export class FleetView {
  readonly #facts: FleetFacts;
  readonly #terminal: Terminal;
  readonly #painter: Painter;
  readonly #problems: ProblemsLogger;
  readonly #market: EventBus | undefined;
  readonly #startedAt = performance.now();
  #tails: MarketTails | undefined;
  #opening = false;
  #last: Pick<FleetState, 'workers' | 'pipelines'> = { workers: [], pipelines: [] };
  #phase: FleetState['phase'] = 'live';
  url: string | undefined;

  /** @param market a bus of its own to read signals from; not started, and undefined where no other process may */
  constructor(facts: FleetFacts, terminal: Terminal, problems: ProblemsLogger, market: EventBus | undefined) {
    this.#facts = facts;
    this.#terminal = terminal;
    this.#painter = new Painter(terminal.stream);
    this.#problems = problems;
    this.#market = market;
  }

  show(workers: readonly WorkerReport[], pipelines: readonly PipelineTotal[]): void {
    this.#last = { workers, pipelines };
    // Topics are there once a worker is ready.
    if (workers.some(({ phase }) => phase === 'ready')) void this.#open();
    this.#draw();
  }

  draining(): void {
    this.#phase = 'draining';
    this.#draw();
  }

  async close(ending: 'done' | 'failed' = 'done'): Promise<void> {
    this.#phase = ending;
    const { workers, pipelines } = this.#last;
    this.#last = {
      workers: workers.map(each => ({ ...each, phase: 'stopped', reasons: [], feeds: [] })),
      pipelines: pipelines.map(each => ({ ...each, workers: 0 })),
    };
    // Where nothing came of it there is nothing to show, and least of all that it is done.
    if (this.#painter.state === 'open') this.#draw();
    this.#painter.close();
    this.#tails?.close();
    await this.#market?.stop();
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#market === undefined) return;
    this.#opening = true;
    const failed = (error: unknown): void => {
      this.#problems.warn({ reason: reasonOf(error) }, 'signals cannot be read');
      this.#tails?.close();
      this.#tails = undefined;
      this.#opening = false;
    };
    try {
      await this.#market.start();
      if (this.#painter.state === 'closed') {
        await this.#market.stop();
        return;
      }
      this.#tails = new MarketTails(this.#market, failed);
    } catch (error) {
      failed(error);
    }
  }

  #draw(): void {
    const { colour } = this.#terminal;
    this.#painter.draw(renderFleet(this.#state(), { ...this.#painter.size, colour }));
  }

  #state(): FleetState {
    return {
      ...this.#facts,
      ...this.#last,
      phase: this.#phase,
      elapsedMs: performance.now() - this.#startedAt,
      url: this.url,
      market: this.#tails,
      problems: this.#problems.problems(),
    };
  }
}
