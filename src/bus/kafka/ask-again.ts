import { setTimeout as wait } from 'node:timers/promises';

const stepMs = 50;
const atMostMs = 10_000;

/** Said of a topic that is known to be there by a broker that has not heard of it yet. */
export const topicUnheardOf: ReadonlySet<string | undefined> = new Set(['UNKNOWN_TOPIC_OR_PARTITION']);

/** Said of a group by a broker that does not keep it, or does not know yet that it does, as after its start. */
export const coordinatorMoves: ReadonlySet<string | undefined> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
]);

/**
 * Asks until the answer is one that lasts, for at most 10 s.
 *
 * @param passing what brokers say that does not last, by the protocol's name of it
 * @param typeOf the protocol's name of a client's error
 * @throws the client's error where it does not pass, or has not passed by then
 */
export async function askAgain<A>(
  ask: () => Promise<A>,
  typeOf: (error: unknown) => string | undefined,
  passing: ReadonlySet<string | undefined>,
): Promise<A> {
  for (let waited = 0; ; waited += stepMs) {
    try {
      return await ask();
    } catch (error) {
      if (waited >= atMostMs || !passing.has(typeOf(error))) throw error;
      await wait(stepMs);
    }
  }
}
