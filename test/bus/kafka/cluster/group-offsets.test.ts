import { expect, it } from 'vitest';
import { GroupOffsets } from '../../../../src/bus/kafka/cluster/group-offsets.ts';

/** Two groups, whose offset is how often they were asked. */
function bench() {
  const asked: string[] = [];
  const offsets = new GroupOffsets({
    groups: () => Promise.resolve(['a', 'b']),
    committed: group => {
      asked.push(group);
      return Promise.resolve([{ topic: 't', partition: 0, offset: asked.length }]);
    },
  });
  return { asked, offsets };
}

it('asks each group once for all who ask at once', async () => {
  const { asked, offsets } = bench();
  const looks = [offsets.asked(), offsets.asked(), offsets.asked()];
  const answers = await Promise.all(looks.map(look => look()));
  expect(asked).toEqual(['a', 'b']);
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toEqual([
    { group: 'a', topic: 't', partition: 0, offset: 1 },
    { group: 'b', topic: 't', partition: 0, offset: 2 },
  ]);
});

it('never tells of anything older than the question', async () => {
  const { asked, offsets } = bench();
  const first = offsets.asked();
  const underWay = first();
  const second = offsets.asked();
  await underWay;
  await second();
  expect(asked).toEqual(['a', 'b', 'a', 'b']);
});
