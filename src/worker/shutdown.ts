import { type SchedulerLike, Subscription, asyncScheduler } from 'rxjs';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Why a process stops: a signal, or the process that started it with a channel between them is gone. */
export type StopCause = StopSignal | 'disconnect';

/** As much of `process` as stopping needs. */
export interface StoppableProcess {
  /** False where the channel to whoever started it has gone. */
  readonly connected?: boolean;
  on(cause: StopCause, listener: () => void): unknown;
  off(cause: StopCause, listener: () => void): unknown;
  exit(code: ExitCode): unknown;
}

export interface ShutdownOptions {
  /**
   * The process ends this long after the first signal whatever still runs, ms; default: never. To be longer
   * than the worker's own drain deadline, for it is the last resort.
   */
  readonly deadlineMs?: number;
  /** Told of each signal, and of the deadline, before anything is done. */
  readonly report?: (what: 'stopping' | 'ending at once' | 'deadline passed', cause: StopCause) => void;
  /** Ends what else must not outlive this process, before it ends at once. */
  readonly atOnce?: () => void;
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
 * process at once with 130 or 143. The end of whoever started the process with a channel asks for a graceful end too.
 *
 * @example
 * const shutdown = listenForShutdown(process, { deadlineMs: 40_000 });
 * process.exitCode = await runWorker({ signal: shutdown.signal, ... });
 * shutdown.remove();
 */
export function listenForShutdown(target: StoppableProcess, options: ShutdownOptions = {}): Shutdown {
  const {
    deadlineMs,
    report = () => undefined,
    atOnce = () => undefined,
    scheduler = asyncScheduler,
  } = options;
  const controller = new AbortController();
  const armed = new Subscription();

  const begin = (cause: StopCause): void => {
    report('stopping', cause);
    if (deadlineMs !== undefined) {
      const expire = (): void => {
        report('deadline passed', cause);
        atOnce();
        target.exit(exitCodes.drainDeadline);
      };
      armed.add(scheduler.schedule(expire, deadlineMs));
    }
    controller.abort(new Error(`stopped by ${cause}`));
  };
  const take = (signal: StopSignal): void => {
    if (!controller.signal.aborted) return begin(signal);
    report('ending at once', signal);
    atOnce();
    target.exit(secondSignalCodes[signal]);
  };
  const listen = (cause: StopCause, listener: () => void): void => {
    target.on(cause, listener);
    armed.add(() => target.off(cause, listener));
  };
  listen('SIGINT', () => take('SIGINT'));
  listen('SIGTERM', () => take('SIGTERM'));
  listen('disconnect', () => {
    if (!controller.signal.aborted) begin('disconnect');
  });
  if (target.connected === false) begin('disconnect');
  return { signal: controller.signal, remove: () => armed.unsubscribe() };
}
