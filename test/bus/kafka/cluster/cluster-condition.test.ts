import { expect, it } from 'vitest';
import type { PartitionMetadata, TopicMetadata } from '../../../../src/bus/kafka/driver.ts';
import { clusterCondition } from '../../../../src/bus/kafka/cluster/cluster-condition.ts';

const cluster = { nodes: [1, 2, 3], controller: 1 };

function topic(name: string, partitions: readonly Omit<PartitionMetadata, 'partition'>[]): TopicMetadata {
  return { name, partitions: partitions.map((each, partition) => ({ partition, ...each })) };
}

const well = { leader: 1, replicas: [1, 2, 3], inSync: [3, 1, 2] };

it('a cluster with a controller and all copies in sync has no problem', () => {
  expect(clusterCondition(cluster, [topic('t', [well, well])])).toEqual({ problems: [], underReplicated: 0 });
});

it('names partitions with copies out of sync, or without a leader, and a missing controller', () => {
  const topics = [
    topic('a', [well, { ...well, inSync: [1, 2] }]),
    topic('b', [{ leader: undefined, replicas: [2, 3], inSync: [] }]),
  ];
  expect(clusterCondition({ nodes: [1], controller: undefined }, topics)).toEqual({
    problems: [
      'the cluster has no controller: topics cannot be changed',
      'without a leader: b[0]',
      'copies out of sync: a[1] 2 of 3, b[0] 0 of 2',
    ],
    underReplicated: 2,
  });
});

it('names five partitions and counts the rest', () => {
  const topics = [
    topic(
      't',
      Array.from({ length: 12 }, () => ({ ...well, inSync: [1] })),
    ),
  ];
  const [problem] = clusterCondition(cluster, topics).problems;
  expect(problem).toMatch(/^copies out of sync: t\[0\] 1 of 3, .*t\[4\] 1 of 3 and 7 more$/);
});
