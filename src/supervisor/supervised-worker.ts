import {
  BehaviorSubject,
  type Observable,
  type SchedulerLike,
  filter,
  firstValueFrom,
  map,
  race,
  Subject,
  timer,
} from 'rxjs';
import { reasonOf } from '../core/failure.ts';
import { exitCodes } from '../worker/exit-codes.ts';
import type { Logger } from '../worker/logger.ts';
import { every } from '../runtime/ticker.ts';
import type { Probe } from './probe.ts';
import type { Ending, WorkerProcess } from './worker-process.ts';
import type { WorkerStatus } from './worker-status.ts';
import { steadyNow } from '../core/steady-clock.ts';

export interface SupervisedWorkerOptions {
  readonly launch: (name: string) => WorkerProcess;
  readonly probe: Probe;
  readonly scheduler: SchedulerLike;
  readonly logger: Logger;
  /** How long a worker may take to end after SIGTERM before it is killed, ms. */
  readonly stopDeadlineMs: number;
}

const firstDelayMs = 1_000;
const longestDelayMs = 30_000;
/** Whoever was ready for this long starts anew with the shortest delay, ms. */
const healthyMs = 60_000;
const probeIntervalMs = 500;
/** Whoever has not answered for so long, alive as it may be, is ended, ms. */
const silentMs = 60_000;

/** One worker that is kept alive: started again with growing delays when it dies, until it is stopped. */
export class SupervisedWorker {
  readonly name: string;
  readonly status$: Observable<WorkerStatus>;
  readonly #options: SupervisedWorkerOptions;
  readonly #status: BehaviorSubject<WorkerStatus>;
  readonly #hurry = new Subject<void>();
  #process: WorkerProcess | undefined;
  #delayMs = firstDelayMs;
  #readySince: number | undefined;
  #silentSince: number | undefined;
  #wasReady = false;
  #isStopping = false;
  #replacing = false;
  #wasKilled = false;

  constructor(name: string, options: SupervisedWorkerOptions) {
    this.name = name;
    this.#options = options;
    this.#status = new BehaviorSubject<WorkerStatus>({ name, phase: 'starting', restarts: 0, reasons: [] });
    this.status$ = this.#status;
  }

  get status(): WorkerStatus {
    return this.#status.value;
  }

  /**
   * Keeps the worker alive until it is stopped, or its input turns out to be wrong at its first start.
   *
   * @returns the exit code of the last process
   */
  async run(): Promise<number> {
    let code: number = exitCodes.ok;
    while (this.#goesOn()) {
      const ending = await this.#runOnce();
      code = this.#wasKilled ? exitCodes.drainDeadline : codeOf(ending);
      if (!this.#goesOn()) break;
      if (code === exitCodes.badInput && !this.#wasReady) {
        this.#options.logger.error({ worker: this.name, code }, 'worker refuses its input, and wrote why');
        break;
      }
      if (this.#replacing) this.#replacing = false;
      else await this.#backOff(ending);
      code = exitCodes.ok;
    }
    this.#status.next({ name: this.name, phase: 'stopped', restarts: this.status.restarts, reasons: [] });
    return code;
  }

  /** Drains it for good; the code that {@link run} returns follows. */
  stop(): void {
    this.#isStopping = true;
    this.#hurry.next();
    this.#drain();
  }

  /** Drains the process and starts another; resolves when that one, or one after it, is ready or all is stopped. */
  async replace(): Promise<void> {
    if (!this.#goesOn()) return;
    if (this.#process === undefined) {
      this.#hurry.next();
    } else {
      this.#replacing = true;
      this.#drain();
    }
    await firstValueFrom(this.status$.pipe(filter(({ phase }) => phase === 'ready' || phase === 'stopped')));
  }

  /** Ends it at once. */
  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  #goesOn(): boolean {
    return !this.#isStopping;
  }

  async #runOnce(): Promise<Ending> {
    const { launch, scheduler, logger } = this.#options;
    const process = launch(this.name);
    this.#process = process;
    this.#readySince = undefined;
    this.#silentSince = undefined;
    this.#wasKilled = false;
    const { restarts } = this.status;
    this.#status.next({
      name: this.name,
      phase: 'starting',
      restarts,
      reasons: ['the worker is starting'],
      ...(process.pid !== undefined && { pid: process.pid }),
    });
    logger.info({ worker: this.name, process: process.pid }, 'worker process started');
    void process.url.then(url => {
      if (process === this.#process) this.#tell({ url });
    });
    const probing = every(probeIntervalMs, scheduler, () => this.#probe(process), failed);
    const ending = await process.ended;
    this.#process = undefined;
    void probing.stop();
    return ending;

    function failed(error: unknown): void {
      logger.error({ reason: reasonOf(error) }, 'worker not probed');
    }
  }

  async #probe(process: WorkerProcess): Promise<void> {
    const { url } = this.status;
    if (url === undefined) return;
    const { answers, ready, reasons } = await this.#options.probe(url);
    // It may have ended, or been told to, meanwhile.
    const { phase } = this.status;
    if (process !== this.#process || phase === 'draining') return;
    this.#endWhereSilent(process, answers);
    if (ready) {
      this.#wasReady = true;
      this.#readySince ??= steadyNow(this.#options.scheduler);
    } else {
      this.#readySince = undefined;
    }
    const unready = phase === 'starting' ? 'starting' : 'not-ready';
    this.#tell({ phase: ready ? 'ready' : unready, reasons });
  }

  /** One that hangs is no better than one that has died: its end has it started again. */
  #endWhereSilent(process: WorkerProcess, answers: boolean): void {
    const { scheduler, logger } = this.#options;
    const now = steadyNow(scheduler);
    if (answers) this.#silentSince = undefined;
    else this.#silentSince ??= now;
    if (this.#silentSince === undefined || now - this.#silentSince < silentMs) return;
    logger.warn({ worker: this.name, process: process.pid, silentMs }, 'worker process does not answer');
    process.kill('SIGKILL');
  }

  #drain(): void {
    const process = this.#process;
    // A second SIGTERM would end it at once.
    if (process === undefined || this.status.phase === 'draining') return;
    this.#tell({ phase: 'draining', reasons: ['the worker is draining'] });
    process.kill('SIGTERM');
    const { scheduler, stopDeadlineMs } = this.#options;
    const expiring = scheduler.schedule(() => {
      this.#wasKilled = true;
      process.kill('SIGKILL');
    }, stopDeadlineMs);
    void process.ended.then(() => expiring.unsubscribe());
  }

  async #backOff({ code, signal }: Ending): Promise<void> {
    const { scheduler, logger } = this.#options;
    const now = steadyNow(scheduler);
    if (this.#readySince !== undefined && now - this.#readySince >= healthyMs) this.#delayMs = firstDelayMs;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, longestDelayMs);
    const how = signal === null ? `with code ${code ?? 'none'}` : `by ${signal}`;
    logger.warn({ worker: this.name, code, signal, restartInMs: delayMs }, 'worker process died');
    const { name, restarts } = this.status;
    const reasons = [`it ended ${how} and is started again`];
    this.#status.next({ name, phase: 'waiting', restarts: restarts + 1, reasons });
    await firstValueFrom(race(timer(delayMs, scheduler).pipe(map(() => undefined)), this.#hurry));
  }

  #tell(change: Partial<WorkerStatus>): void {
    this.#status.next({ ...this.status, ...change });
  }
}

/** Whoever SIGTERM itself has ended did not listen for it yet: there was nothing to drain. */
function codeOf({ code, signal }: Ending): number {
  return code ?? (signal === 'SIGTERM' ? exitCodes.ok : exitCodes.failure);
}
