import type { ClusterDescription, TopicMetadata } from '../driver.ts';

/** Partitions named in one problem at most. */
const namedAtMost = 5;

/** What a cluster is like that our topics depend on. */
export interface ClusterCondition {
  readonly problems: readonly string[];
  /** Partitions of ours with copies that lag behind. */
  readonly underReplicated: number;
}

/** Judges a cluster by its controller and by the partitions of the topics that we use. */
export function clusterCondition(
  { controller }: ClusterDescription,
  topics: readonly TopicMetadata[],
): ClusterCondition {
  const partitions = topics.flatMap(topic =>
    topic.partitions.map(partition => ({ ...partition, place: `${topic.name}[${partition.partition}]` })),
  );
  const leaderless = partitions.filter(({ leader }) => leader === undefined);
  const lagging = partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length);
  const problems = [
    ...(controller === undefined ? ['the cluster has no controller: topics cannot be changed'] : []),
    ...(leaderless.length === 0 ? [] : [`without a leader: ${named(leaderless)}`]),
    ...(lagging.length === 0
      ? []
      : [
          `copies out of sync: ${named(lagging, ({ inSync, replicas }) => ` ${inSync.length} of ${replicas.length}`)}`,
        ]),
  ];
  return { problems, underReplicated: lagging.length };
}

function named<P extends { readonly place: string }>(
  partitions: readonly P[],
  more: (partition: P) => string = () => '',
): string {
  const shown = partitions.slice(0, namedAtMost).map(partition => `${partition.place}${more(partition)}`);
  const rest = partitions.length - shown.length;
  return `${shown.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}
