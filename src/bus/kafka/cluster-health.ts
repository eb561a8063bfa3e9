import type { SchedulerLike } from 'rxjs';
import { reasonOf } from '../../core/failure.ts';
import { inTime } from '../../core/in-time.ts';
import { BusError } from '../../core/publisher.ts';
import type { BusFigures } from '../bus-condition.ts';
import { clusterCondition } from './cluster-condition.ts';
import type { KafkaDriver } from './driver.ts';

/** How long a cluster may take to say how it is, ms. */
const healthMs = 3_000;

type ClusterFigures = Pick<
  BusFigures,
  'problems' | 'connectedBrokers' | 'controller' | 'underReplicatedPartitions'
>;

/** How the cluster is as far as the topics in use are concerned; that it cannot be asked is a problem, too. */
export async function askedCluster(
  driver: KafkaDriver,
  used: ReadonlySet<string>,
  scheduler: SchedulerLike,
): Promise<ClusterFigures> {
  const late = (): never => {
    throw new BusError(
      'unavailable',
      `no answer within ${healthMs} ms: see whether the brokers run and can be reached`,
    );
  };
  const asked = Promise.all([driver.describeCluster(), driver.describeTopics()]);
  try {
    const [cluster, topics] = await inTime(asked, healthMs, scheduler, late);
    const ours = topics.filter(({ name }) => used.has(name));
    const { problems, underReplicated } = clusterCondition(cluster, ours);
    return {
      problems,
      connectedBrokers: cluster.nodes.length,
      ...(cluster.controller !== undefined && { controller: cluster.controller }),
      underReplicatedPartitions: underReplicated,
    };
  } catch (error) {
    return { problems: [`the cluster cannot be asked: ${reasonOf(error)}`], connectedBrokers: 0 };
  }
}
