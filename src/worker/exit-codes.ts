import { BusError } from '../core/publisher.ts';
import { ListenError } from './listen-error.ts';

/** What a process of ours ends with; scripts and supervisors may rely on it. */
export const exitCodes: {
  /** Done, or stopped in good order when asked to. */
  readonly ok: 0;
  /** Something failed that nobody could know beforehand. */
  readonly failure: 1;
  /** The input or the configuration cannot be used; the same again ends the same. */
  readonly badInput: 2;
  /** Stopped with work, or state that could not be stored, left over: it comes again at the next start. */
  readonly drainDeadline: 3;
  /** Ended at once by a second SIGINT. */
  readonly interrupted: 130;
  /** Ended at once by a second SIGTERM. */
  readonly terminated: 143;
} = { ok: 0, failure: 1, badInput: 2, drainDeadline: 3, interrupted: 130, terminated: 143 };

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of what kept a process from starting. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ListenError) return exitCodes.badInput;
  if (!(error instanceof BusError)) return exitCodes.failure;
  switch (error.code) {
    case 'unsupported-backend':
    case 'unsupported-capability':
    case 'invalid-option':
      return exitCodes.badInput;
    default:
      return exitCodes.failure;
  }
}
