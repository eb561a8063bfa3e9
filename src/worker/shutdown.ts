import { type SchedulerLike, Subscription, asyncScheduler } from 'rxjs';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** As much of `process` as stopping needs. */
export interface StoppableProcess {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
  exit(code: ExitCode): unknown;
}

export interface ShutdownOptions {
  /**
   * The process ends this long after the first signal whatever still runs, ms; default: never. To be longer
   * than the worker's own drain deadline, for it is the last resort.
   */
  readonly deadlineMs?: number;
  /** Told of each signal, and of the deadline, before anything is done. */
  readonly report?: (what: 'stopping' | 'ending at once' | 'deadline passed', signal: StopSignal) => void;
  /** Default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The wish to stop. */
export interface Shutdown {
  /** Aborts with the first signal; what runs should then end in good order. */
  readonly signal: AbortSignal;
  /** Takes the listeners and the deadline away. */
  readonly remove: () => void;
}

const secondSignalCodes: Readonly<Record<StopSignal, ExitCode>> = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
};

/**
 * Listens for SIGINT and SIGTERM: the first asks for a graceful end, a second one, of either kind, ends the
 * process at once with 130 or 143.
 *
 * @example
 * const shutdown = listenForShutdown(process, { deadlineMs: 40_000 });
 * process.exitCode = await runWorker({ signal: shutdown.signal, ... });
 * shutdown.remove();
 */
export function listenForShutdown(target: StoppableProcess, options: ShutdownOptions = {}): Shutdown {
  const { deadlineMs, report = () => undefined, scheduler = asyncScheduler } = options;
  const controller = new AbortController();
  const armed = new Subscription();

  const take = (signal: StopSignal): void => {
    if (controller.signal.aborted) {
      report('ending at once', signal);
      target.exit(secondSignalCodes[signal]);
      return;
    }
    report('stopping', signal);
    if (deadlineMs !== undefined) {
      const expire = (): void => {
        report('deadline passed', signal);
        target.exit(exitCodes.drainDeadline);
      };
      armed.add(scheduler.schedule(expire, deadlineMs));
    }
    controller.abort(new Error(`stopped by ${signal}`));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const listener = (): void => take(signal);
    target.on(signal, listener);
    armed.add(() => target.off(signal, listener));
  }
  return { signal: controller.signal, remove: () => armed.unsubscribe() };
}
