import { type MessagePlace, placeText } from './message-place.ts';

/**
 * Why a drain ended:
 * - `finished`: all that the pipeline had begun is done;
 * - `deadline`: the deadline passed first;
 * - `later`: what is left waits for a time that is yet to come, as a parked retry, or for the other side of a join;
 * - `not-running`: the pipeline did not run, or broke or was stopped while it drained.
 */
export type DrainEnd = 'finished' | 'deadline' | 'later' | 'not-running';

/** The oldest message that a pipeline had begun and not finished. */
export interface OldestLeft extends MessagePlace {
  /** The operator that holds it, where that is known. */
  readonly stage?: string;
}

/** What a pipeline leaves behind when it ends. */
export interface Leftover {
  /** Messages of its input from the oldest unfinished one on: they come again at the next start. */
  readonly left: number;
  /** Undefined where nothing is left. */
  readonly oldest: OldestLeft | undefined;
}

/** How the drain of one pipeline ended. */
export interface Drained extends Leftover {
  readonly pipeline: string;
  readonly reason: DrainEnd;
  /**
   * What went wrong, in words: what broke it, or what of its state could not be stored, so that what was done since it
   * last was is done again.
   */
  readonly problem: string | undefined;
}

/**
 * How a drain ended, as a sentence for people.
 *
 * @example
 * const runtime = await run([upper], bus);
 * for (const drained of await runtime.drain(5_000)) console.log(drainedText(drained));
 */
export function drainedText({ pipeline, reason, left, oldest, problem }: Drained): string {
  const messages = left === 1 ? '1 message' : `${left} messages`;
  const first = oldest ? `, the oldest ${oldestText(oldest)},` : '';
  const rest = left === 0 ? '' : `, ${messages}${first} left for the next start`;
  return `${pipeline}: ${ends[reason]}${rest}${problem === undefined ? '' : `: ${problem}`}`;
}

const ends: Readonly<Record<DrainEnd, string>> = {
  finished: 'finished',
  deadline: 'not finished by the deadline',
  later: 'finished but for what waits for later',
  'not-running': 'did not run to the end',
};

function oldestText(oldest: OldestLeft): string {
  return `${placeText(oldest)}${oldest.stage === undefined ? '' : ` in ${oldest.stage}`}`;
}
