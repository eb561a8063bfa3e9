import { setTimeout as wait } from 'node:timers/promises';

const stepMs = 50;
const atMostMs = 5000;

/**
 * Asks about a topic that is known to be there until the broker that is asked has heard of it, too: it may be another
 * than the one that told of the topic.
 *
 * @param typeOf the protocol's name of a client's error
 */
export async function untilHeardOf<A>(
  ask: () => Promise<A>,
  typeOf: (error: unknown) => string | undefined,
): Promise<A> {
  for (let waited = 0; ; waited += stepMs) {
    try {
      return await ask();
    } catch (error) {
      if (waited >= atMostMs || typeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
      await wait(stepMs);
    }
  }
}
