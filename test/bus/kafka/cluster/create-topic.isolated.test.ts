import { expect, it, vi } from 'vitest';
import { BusCondition } from '../../../../src/bus/bus-condition.ts';
import type { KafkaDriver } from '../../../../src/bus/kafka/driver.ts';
import { type Creating, createTopic } from '../../../../src/bus/kafka/cluster/create-topic.ts';
import { TopicDirectory } from '../../../../src/bus/kafka/cluster/topic-directory.ts';
import { BusError } from '../../../../src/core/publisher.ts';
import { defaultTopicSettings } from '../../../../src/core/topic.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() })); // time passes at once

const topic = { name: 't', settings: { ...defaultTopicSettings, partitions: 2 } };
const gone = new BusError('unavailable', 'the broker that was asked has gone');

interface Course {
  /** Which of the requests, one after the other, is not answered, and whether it was heard. */
  readonly unanswered?: ReadonlyMap<number, 'heard' | 'unheard'>;
  readonly isThere?: boolean;
}

/** One broker with one topic, or none. */
function cluster({ unanswered = new Map(), isThere = false }: Course): Creating & { asked: number } {
  let made = isThere;
  const asks = <A>(answer: () => A): Promise<A> => {
    const fate = unanswered.get(creating.asked++);
    return new Promise((resolve, reject) => {
      if (fate === 'unheard') reject(gone);
      const answered = answer();
      if (fate === 'heard') reject(gone);
      resolve(answered);
    });
  };
  const make = (): void => {
    if (made) throw new BusError('topic-exists', 'it is there');
    made = true;
  };
  const partitions = [0, 1].map(partition => ({ partition, leader: 1, replicas: [1], inSync: [1] }));
  const driver: Pick<KafkaDriver, 'describeCluster' | 'createTopic' | 'describeTopics' | 'topicConfigs'> = {
    describeCluster: () => asks(() => ({ nodes: [1], controller: 1 })),
    createTopic: () => asks(make),
    describeTopics: () => asks(() => (made ? [{ name: 't', partitions }] : [])),
    topicConfigs: () => asks(() => new Map()),
  };
  const creating = {
    driver,
    directory: new TopicDirectory(driver),
    condition: new BusCondition(),
    asked: 0,
  };
  return creating;
}

it('creates a topic and knows it then, whichever request is not answered once', async () => {
  const smooth = cluster({});
  await createTopic(smooth, topic);
  for (let nr = 0; nr < smooth.asked; nr++)
    for (const fate of ['heard', 'unheard'] as const) {
      const rough = cluster({ unanswered: new Map([[nr, fate]]) });
      await createTopic(rough, topic);
      expect(rough.directory.get('t')).toMatchObject({ partitions: 2 });
    }
});

it('refuses a topic that is there, and knows it then, whichever request is not answered once', async () => {
  const smooth = cluster({ isThere: true });
  await expect(createTopic(smooth, topic)).rejects.toMatchObject({ code: 'topic-exists' });
  // The request that asks for it, unanswered, may have made it: nobody can tell.
  for (let nr = 2; nr < smooth.asked; nr++) {
    const rough = cluster({ isThere: true, unanswered: new Map([[nr, 'unheard']]) });
    await expect(createTopic(rough, topic)).rejects.toMatchObject({ code: 'topic-exists' });
    expect(rough.directory.get('t')).toMatchObject({ partitions: 2 });
  }
});

// Kills: a topic of before told as created, with other settings than were asked for.
it('refuses a topic that it knew already, whichever request is not answered once', async () => {
  const smooth = cluster({ isThere: true });
  await smooth.directory.learnAll();
  await expect(createTopic(smooth, topic)).rejects.toMatchObject({ code: 'topic-exists' });
  for (let nr = 1; nr < smooth.asked; nr++) {
    const rough = cluster({ isThere: true, unanswered: new Map([[nr, 'unheard']]) });
    await rough.directory.learnAll();
    await expect(createTopic(rough, topic)).rejects.toMatchObject({ code: 'topic-exists' });
  }
});

it('gives up after ten seconds in which no broker answers, and says why', async () => {
  const clock = vi.spyOn(performance, 'now');
  for (const ms of [0, 9_999, 10_001]) clock.mockReturnValueOnce(ms);
  const away = cluster({ unanswered: new Map([...Array(20).keys()].map(nr => [nr, 'unheard'])) });
  await expect(createTopic(away, topic)).rejects.toBe(gone);
  clock.mockRestore();
});
