import { setTimeout as wait } from 'node:timers/promises';
import type { TopicMetadata } from '../driver.ts';

const stepMs = 50;
const atMostMs = 30_000;

/**
 * Waits until so many partitions are known and led: the broker that is asked may hear of what was made later than
 * the controller that made it. What is not known in the end shows where it is used.
 *
 * @returns the topic as it was described last; undefined where nobody has heard of it
 */
export async function untilLed(
  describe: () => Promise<readonly TopicMetadata[]>,
  partitions: number,
): Promise<TopicMetadata | undefined> {
  for (let waited = 0; ; waited += stepMs) {
    const [topic] = await describe();
    const led = topic?.partitions.filter(({ leader }) => leader !== undefined) ?? [];
    if (led.length >= partitions || waited >= atMostMs) return topic;
    await wait(stepMs);
  }
}
