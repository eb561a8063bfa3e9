import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { type KafkaCluster, startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { describeOwnKafka, onEach } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

/**
 * Compacts at once what is not in the segment that is written to, and begins a new segment with nearly every batch.
 * Whether a topic is compacted at all is its own setting.
 */
const quickCleaner = {
  'log.roll.ms': '50',
  'log.cleaner.backoff.ms': '100',
  'log.cleaner.min.cleanable.ratio': '0.001',
};
const patiently = { timeout: 45_000, interval: 200 };

/** What is there of all keys but the one that only makes segments end, in order: key, value and offset. */
async function contentOf(bus: EventBus, topic: string): Promise<readonly string[]> {
  const messages = (await readAll(bus, topic)).filter(({ key }) => key !== 'tick');
  return messages.map(({ key, payload, offset }) => `${key}=${textOf(payload)}@${offset}`);
}

describeOwnKafka('a topic that a bus has made', () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await startKafka({ properties: quickCleaner });
  });
  afterAll(() => kafka.stop());

  // Kills: compaction that is asked for and not set, or set for every topic; a reader that stops at offsets that are gone.
  it('keeps the last value of each key with compaction, and every value without', async () => {
    await onEach(async driver => {
      const bus = await startedBus({ brokers: kafka.bootstrap, driver });
      const [compacted, whole] = [await newTopic(bus, { compaction: true }), await newTopic(bus)];
      const publish = async (
        texts: readonly (readonly [key: string, text: string | null])[],
      ): Promise<void> => {
        for (const topic of [compacted, whole]) {
          const messages = texts.map(([key, text]) => ({
            topic,
            key,
            payload: text === null ? null : Buffer.from(text),
          }));
          for (const result of await bus.publishBatch(messages)) if (!result.ok) throw result.error;
        }
      };
      // Of one batch some stay and some go.
      await publish([
        ['a', 'old'],
        ['lone', 'only'],
        ['a', 'older than the last'],
        ['gone', 'was'],
      ]);
      await publish([
        ['a', 'last'],
        ['gone', null],
      ]);
      await expect
        .poll(async () => {
          await publish([['tick', 'tock']]);
          return contentOf(bus, compacted);
        }, patiently)
        .toEqual(['lone=only@1', 'a=last@4', 'gone=null@5']);
      expect(await contentOf(bus, whole), driver).toHaveLength(6);
      expect((await bus.getTopicInfo(compacted)).settings.compaction).toBe(true);
    });
  });
});
