import { randomUUID } from 'node:crypto';
import { ConfigResourceTypes } from 'kafkajs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import type { KafkaDriverName } from '../../../src/bus/kafka/kafka-options.ts';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import type { TopicAdmin } from '../../../src/bus/topic-admin.ts';
import { defaultTopicSettings } from '../../../src/core/topic.ts';
import { adminOf } from './admin.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';

const hour = 3_600_000;
const patiently = { timeout: 10_000 };

/** A bus with one topic of two partitions. */
async function started(
  driver: KafkaDriverName,
): Promise<{ bus: EventBus; admin: TopicAdmin; topic: string }> {
  const bus = kafkaBus({ brokers: kafkaBrokers(), driver });
  onTestFinished(() => bus.stop());
  await bus.start();
  const topic = `${randomUUID().slice(0, 8)}-administered`;
  await bus.createTopic({ name: topic, settings: { ...ofOneBroker, partitions: 2 } });
  if (bus.admin === undefined) throw new Error('the kafka bus has no admin');
  return { bus, admin: bus.admin, topic };
}

/** The shared cluster has one broker. */
const ofOneBroker = { ...defaultTopicSettings, replication: 1 };

describeKafka('changing topics of a cluster', () => {
  describe.each(drivers)('with driver %s', driver => {
    it('adds partitions, to which messages can be published at once', async () => {
      const { bus, admin, topic } = await started(driver);
      await admin.growPartitions(topic, 5);
      expect(bus.partitionsOf(topic)).toBe(5);
      const receipt = await bus.publish({ topic, key: 'k', payload: Buffer.from('a'), partition: 4 });
      expect(receipt).toMatchObject({ partition: 4, offset: 0 });
      expect(await bus.endOffsets(topic)).toEqual([0, 0, 0, 0, 1]);
    });

    it('takes no partitions away', async () => {
      const { admin, topic } = await started(driver);
      await expect(admin.growPartitions(topic, 1)).rejects.toMatchObject({ code: 'invalid-option' });
    });

    it('changes retention and the largest message, and leaves alone what others have set', async () => {
      const { bus, admin, topic } = await started(driver);
      const client = await adminOf(kafkaBrokers());
      const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
      await client.alterConfigs({
        validateOnly: false,
        resources: [
          {
            ...resource,
            configEntries: [
              { name: 'segment.ms', value: '123456' },
              { name: 'message.timestamp.type', value: 'CreateTime' },
            ],
          },
        ],
      });
      const drift = [{ setting: 'message.timestamp.type', is: 'CreateTime', should: 'LogAppendTime' }];
      // The broker that is asked may hear of a change later than the one that made it.
      await vi.waitFor(async () => expect((await bus.getTopicInfo(topic)).drift).toEqual(drift), patiently);
      const settings = { ...ofOneBroker, partitions: 2, retentionMs: hour, maxMessageBytes: 5000 };
      await admin.alterTopic({ name: topic, settings });
      await vi.waitFor(async () => {
        const info = await bus.getTopicInfo(topic);
        expect(info.settings).toEqual(settings);
        expect(info.drift).toBeUndefined();
      }, patiently);
      const { resources } = await client.describeConfigs({ includeSynonyms: false, resources: [resource] });
      const kept = resources[0]?.configEntries.find(({ configName }) => configName === 'segment.ms');
      expect(kept?.configValue).toBe('123456');
      const tooLarge = bus.publish({ topic, key: null, payload: Buffer.alloc(6000) });
      await expect(tooLarge).rejects.toMatchObject({ code: 'message-too-large' });
    });

    it('refuses for a topic that is not there', async () => {
      const { admin } = await started(driver);
      const name = `${randomUUID()}-missing`;
      await expect(admin.growPartitions(name, 3)).rejects.toMatchObject({ code: 'topic-not-found' });
      await expect(admin.alterTopic({ name, settings: defaultTopicSettings })).rejects.toMatchObject({
        code: 'topic-not-found',
      });
    });

    it('tells who leads and holds each partition, and who rules the cluster', async () => {
      const { bus, topic } = await started(driver);
      const { partitions } = await bus.getTopicInfo(topic);
      const { metrics, errors } = await bus.health();
      expect(errors).toEqual([]);
      expect(metrics.underReplicatedPartitions).toBe(0);
      expect(metrics.controller).toBeTypeOf('number');
      for (const { leader, replicas, inSync } of partitions) {
        expect(replicas).toEqual([leader]);
        expect(inSync).toEqual([leader]);
      }
    });
  });
});
