import { type Observable, combineLatest, firstValueFrom, filter, map } from 'rxjs';
import { exitCodes } from '../worker/exit-codes.ts';
import { type SupervisedWorkerOptions, SupervisedWorker } from './supervised-worker.ts';
import type { WorkerStatus } from './worker-status.ts';

export interface SupervisorOptions extends SupervisedWorkerOptions {
  /** Names the workers: `NAME-1`, `NAME-2`, ... */
  readonly name: string;
  readonly workers: number;
  /** Aborts when all should stop. */
  readonly signal: AbortSignal;
}

/** Several workers that are kept alive together. */
export class Supervisor {
  readonly statuses$: Observable<readonly WorkerStatus[]>;
  readonly #options: SupervisorOptions;
  readonly #workers: readonly SupervisedWorker[];
  #rolling: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    const { name, workers } = options;
    this.#options = options;
    this.#workers = Array.from(
      { length: workers },
      (_, i) => new SupervisedWorker(`${name}-${i + 1}`, options),
    );
    this.statuses$ = combineLatest(this.#workers.map(({ status$ }) => status$));
  }

  get statuses(): readonly WorkerStatus[] {
    return this.#workers.map(({ status }) => status);
  }

  /**
   * Runs the workers until the signal aborts, or one finds its input wrong at its first start, and all have ended.
   * The others follow once the first can serve: what keeps it from that would be told once, not by each.
   *
   * @returns 0 where all ended in good order, else the gravest of their codes
   */
  async run(): Promise<number> {
    const { signal } = this.#options;
    const stop = (): void => this.#workers.forEach(worker => worker.stop());
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const [first, ...others] = this.#workers;
    const running = first === undefined ? [] : [this.#runOne(first, stop)];
    if (first !== undefined) await untilServing(first);
    if (first?.status.phase === 'stopped') stop();
    running.push(...others.map(worker => this.#runOne(worker, stop)));
    const codes = await Promise.all(running);
    await this.#rolling;
    signal.removeEventListener('abort', stop);
    return gravest(codes);
  }

  /** Replaces the workers one by one, each once the one before is ready; asked meanwhile, it does so again after. */
  restartAll(): Promise<void> {
    this.#rolling = this.#rolling.then(() => this.#roll());
    return this.#rolling;
  }

  /** Ends every process at once. */
  kill(): void {
    this.#workers.forEach(worker => worker.kill());
  }

  async #roll(): Promise<void> {
    for (const worker of this.#workers) await worker.replace();
  }

  async #runOne(worker: SupervisedWorker, stop: () => void): Promise<number> {
    const code = await worker.run();
    stop();
    return code;
  }
}

function untilServing({ status$ }: SupervisedWorker): Promise<unknown> {
  return firstValueFrom(
    status$.pipe(
      filter(({ phase, url }) => url !== undefined || phase === 'stopped'),
      map(() => undefined),
    ),
  );
}

function gravest(codes: readonly number[]): number {
  const order: readonly number[] = [exitCodes.badInput, exitCodes.drainDeadline];
  return (
    order.find(code => codes.includes(code)) ?? codes.find(code => code !== exitCodes.ok) ?? exitCodes.ok
  );
}
