import { setTimeout as wait } from 'node:timers/promises';
import { BusError } from '../../core/publisher.ts';

/** Said of a topic that is known to be there by a broker that has not heard of it yet. */
export const topicUnheardOf: ReadonlySet<string | undefined> = new Set(['UNKNOWN_TOPIC_OR_PARTITION']);

/** Said of a group by a broker that does not keep it, or does not know yet that it does, as after its start. */
export const coordinatorMoves: ReadonlySet<string | undefined> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
]);

/** The same, as the error that it becomes. */
const notFound: ReadonlySet<string | undefined> = new Set(['topic-not-found']);

const away: ReadonlySet<string | undefined> = new Set(['unavailable']);

/** What a question came to that is to be asked again: the client's error. */
export class Passing {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

export interface Patience {
  /** How long what should pass is waited for, ms; default 10 s. */
  readonly atMostMs?: number;
  /** Whether nobody waits for the answer any more; default never. */
  readonly isOver?: () => boolean;
}

const firstPauseMs = 5;
const longestPauseMs = 20;
/** What has not passed after so long is asked for less often. */
const soonMs = 1000;
const latePauseMs = 100;

/**
 * Asks until what it comes to does not pass by itself. Clients wait 300 ms for what takes 5, and for some errors not
 * at all.
 *
 * @throws what `attempt` throws, or the client's error that has not passed in time
 */
export async function askUntilSettled<A>(
  attempt: () => Promise<A | Passing>,
  { atMostMs = 10_000, isOver = () => false }: Patience = {},
): Promise<A> {
  const began = performance.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs + firstPauseMs)) {
    const outcome = await attempt();
    if (!(outcome instanceof Passing)) return outcome;
    const waitedMs = performance.now() - began;
    if (isOver() || waitedMs > atMostMs) throw outcome.error;
    await wait(waitedMs < soonMs ? pauseMs : latePauseMs);
  }
}

/**
 * Asks again while brokers say what does not last.
 *
 * @param passing the protocol's names of it
 * @param typeOf the protocol's name of a client's error
 */
export function askAgain<A>(
  ask: () => Promise<A>,
  typeOf: (error: unknown) => string | undefined,
  passing: ReadonlySet<string | undefined>,
  patience: Patience = {},
): Promise<A> {
  return askUntilSettled(async () => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Error && passing.has(typeOf(error))) return new Passing(error);
      throw error;
    }
  }, patience);
}

/** Brokers hear of a topic within this time, ms; what none knows after it is not there. */
export const unheardOfMs = 1_000;

/** Asks about topics that may have been made just now: whichever broker is asked may not have heard of them yet. */
export function askAboutTopics<A>(ask: () => Promise<A>, patience?: Patience): Promise<A> {
  return askAgain(ask, codeOf, notFound, patience);
}

/** Asks again while brokers cannot be asked: the one that was asked may have gone, and others be there. */
export function askWhileAway<A>(ask: () => Promise<A>): Promise<A> {
  return askAgain(ask, codeOf, away);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof BusError ? error.code : undefined;
}
