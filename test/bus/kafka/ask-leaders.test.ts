import { expect, it } from 'vitest';
import { askLeaders, missingTopic } from '../../../src/bus/kafka/ask-leaders.ts';

const described = {
  name: 't',
  partitions: [{ partition: 0, leader: 1, replicas: [1], inSync: [1] }],
};

// Kills: a topic that was made just now taken for missing, because one broker has not heard of it yet.
it('asks again about a topic of which the broker that was asked has not heard yet', async () => {
  let asked = 0;
  const describe = async (): Promise<typeof described> => {
    await Promise.resolve();
    if (asked++ < 3) throw missingTopic('t');
    return described;
  };
  const offsets = await askLeaders({ describe, typeOf: () => undefined }, () =>
    Promise.resolve(new Map([[0, 7]])),
  );
  expect([...offsets]).toEqual([[0, 7]]);
  expect(asked).toBe(4);
});

it('says after a while that a topic is missing', async () => {
  const describe = (): Promise<never> => Promise.reject(missingTopic('t'));
  const asking = askLeaders({ describe, typeOf: () => undefined }, () => Promise.resolve(new Map()));
  await expect(asking).rejects.toMatchObject({ code: 'topic-not-found' });
});
