import { expect, it, vi } from 'vitest';
import type { KafkaDriver, TopicMetadata } from '../../../../src/bus/kafka/driver.ts';
import { TopicDirectory } from '../../../../src/bus/kafka/cluster/topic-directory.ts';
import { BusError } from '../../../../src/core/publisher.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() })); // time passes at once

const partition = (index: number, leader: number | undefined) => ({
  partition: index,
  leader,
  replicas: [],
  inSync: [],
});

/** A directory over brokers that tell of topic `t`, one answer after the other, the last again and again. */
function directoryOf(...answers: (readonly TopicMetadata[] | BusError)[]): TopicDirectory {
  const driver: Pick<KafkaDriver, 'describeTopics' | 'topicConfigs'> = {
    describeTopics: () => {
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
      return answer instanceof BusError ? Promise.reject(answer) : Promise.resolve(answer);
    },
    topicConfigs: () => Promise.resolve(new Map()),
  };
  return new TopicDirectory(driver);
}

const whole = { name: 't', partitions: [partition(0, 1), partition(1, 2)] };

it('waits for what was made until a broker has heard of it, and of who leads it', async () => {
  const half = { name: 't', partitions: [partition(0, 1), partition(1, undefined)] };
  const directory = directoryOf([], [half], [whole]);
  await directory.learnMade('t', 2);
  expect(directory.get('t')).toMatchObject({ partitions: 2, leaders: [1, 2] });
});

it('keeps what it has learned of that, though the next broker has not heard of it', async () => {
  const directory = directoryOf([whole], []);
  await directory.learnMade('t', 2);
  expect(directory.get('t').partitions).toBe(2);
});

it('does not take a topic for gone that one broker has not heard of yet', async () => {
  const directory = directoryOf([whole], [], [], [whole]);
  await directory.learn('t');
  expect(await directory.learn('t')).toMatchObject({ partitions: 2 });
});

it('forgets a topic that is gone', async () => {
  const directory = directoryOf([whole], []);
  await directory.learn('t');
  await directory.learn('t');
  expect(() => directory.get('t')).toThrow('no topic t');
});

it('takes a topic for lost once it is gone, and not while brokers cannot be asked', async () => {
  const away = new BusError('unavailable', 'away');
  const directory = directoryOf([whole], away, [whole], []);
  await directory.learn('t');
  expect(await directory.hasLost(['t'])).toBe(false);
  expect(await directory.hasLost(['t'])).toBe(false);
  expect(await directory.hasLost(['t'])).toBe(true);
});
