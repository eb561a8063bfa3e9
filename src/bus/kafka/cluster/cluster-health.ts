import type { SchedulerLike } from 'rxjs';
import { reasonOf } from '../../../core/failure.ts';
import { inTime } from '../../../core/in-time.ts';
import { BusError } from '../../../core/publisher.ts';
import type { BusFigures } from '../../bus-condition.ts';
import type { KafkaDriver } from '../driver.ts';
import { clusterCondition } from './cluster-condition.ts';

/** How long a cluster may take to say how it is, ms. */
const healthMs = 3_000;
/** What is left of that for each broker at least, ms. */
const shortestMs = 500;

type Asked = Pick<KafkaDriver, 'describeCluster' | 'describeTopics' | 'reach'>;

type ClusterFigures = Pick<
  BusFigures,
  'problems' | 'brokers' | 'connectedBrokers' | 'controller' | 'underReplicatedPartitions'
>;

/** How a cluster is. Whoever asks while somebody else does gets the same answer. */
export class ClusterHealth {
  readonly #driver: Asked;
  readonly #scheduler: SchedulerLike;
  #asking: Promise<ClusterFigures> | undefined;

  constructor(driver: Asked, scheduler: SchedulerLike) {
    this.#driver = driver;
    this.#scheduler = scheduler;
  }

  /** How it is as far as the topics in use are concerned; that it cannot be asked is a problem, too. */
  ask(used: ReadonlySet<string>): Promise<ClusterFigures> {
    this.#asking ??= this.#ask(used).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ask(used: ReadonlySet<string>): Promise<ClusterFigures> {
    const late = (): never => {
      throw new BusError(
        'unavailable',
        `no answer within ${healthMs} ms: see whether the brokers run and can be reached`,
      );
    };
    const until = this.#scheduler.now() + healthMs;
    const asked = Promise.all([this.#driver.describeCluster(), this.#driver.describeTopics()]);
    try {
      const [cluster, topics] = await inTime(asked, healthMs, this.#scheduler, late);
      const ours = topics.filter(({ name }) => used.has(name));
      const { problems, underReplicated } = clusterCondition(cluster, ours);
      const leftMs = Math.max(shortestMs, until - this.#scheduler.now());
      const silent = await this.#silentNodes(cluster.nodes, leftMs);
      return {
        problems: silent.length === 0 ? problems : [...problems, silentText(silent)],
        brokers: cluster.nodes.length,
        connectedBrokers: cluster.nodes.length - silent.length,
        ...(cluster.controller !== undefined && { controller: cluster.controller }),
        underReplicatedPartitions: underReplicated,
      };
    } catch (error) {
      return { problems: [`the cluster cannot be asked: ${reasonOf(error)}`], connectedBrokers: 0 };
    }
  }

  /** Those of the cluster that do not answer here: what they lead can be neither read nor published to. */
  async #silentNodes(nodes: readonly number[], withinMs: number): Promise<readonly number[]> {
    const answers = nodes.map(async node => {
      const answering = this.#driver.reach(node).then(
        () => true,
        () => false,
      );
      return (await inTime(answering, withinMs, this.#scheduler, () => false)) ? [] : [node];
    });
    return (await Promise.all(answers)).flat();
  }
}

function silentText(nodes: readonly number[]): string {
  const who = nodes.length === 1 ? `broker ${nodes.join()} does` : `brokers ${nodes.join(', ')} do`;
  return `${who} not answer here, though the cluster counts them in: see what lies between`;
}
