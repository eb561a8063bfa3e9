import { expect, it } from 'vitest';
import { describeTopic } from '../../../../src/bus/kafka/cluster/describe-topic.ts';

const metadata = { name: 't', partitions: [{ partition: 0, leader: 1, replicas: [1], inSync: [1] }] };
const groups = { asked: () => () => Promise.resolve([]) };

/** A cluster whose brokers hear of the topic when they are asked for the so-manieth time. */
function hearingAt(time: number): Parameters<typeof describeTopic>[0] {
  let asked = 0;
  return {
    describeTopics: () => Promise.resolve(++asked < time ? [] : [metadata]),
    topicConfigs: () => Promise.resolve(new Map()),
    listOffsets: () => Promise.resolve(new Map([[0, 7]])),
    partitionBytes: () => Promise.resolve(new Map([[0, 90]])),
  };
}

// Kills: a topic that was made just now taken for missing, because one broker has not heard of it yet.
it('tells of a topic of which the broker that was asked has not heard yet', async () => {
  const { partitions } = await describeTopic(hearingAt(3), groups, 't', 0);
  expect(partitions).toMatchObject([{ partition: 0, nextOffset: 7, bytes: 90, leader: 1 }]);
});

it('says after a while that a topic is missing', async () => {
  const asking = describeTopic(hearingAt(Infinity), groups, 't', 0);
  await expect(asking).rejects.toMatchObject({ code: 'topic-not-found' });
});
