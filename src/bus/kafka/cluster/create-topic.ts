import { BusError } from '../../../core/publisher.ts';
import type { TopicSpec } from '../../../core/topic.ts';
import type { BusCondition } from '../../bus-condition.ts';
import { requireLegalTopic } from '../../legal-topic.ts';
import { askWhileAway } from '../ask-again.ts';
import type { KafkaDriver, NewTopic } from '../driver.ts';
import { configsOf } from './topic-configs.ts';
import type { TopicDirectory } from './topic-directory.ts';

type Creator = Pick<KafkaDriver, 'describeCluster' | 'createTopic'>;

export interface Creating {
  readonly driver: Creator;
  readonly directory: TopicDirectory;
  readonly condition: Pick<BusCondition, 'warned'>;
}

/**
 * Creates a topic, with as many copies as there are brokers for, and learns of it. Where the broker that was asked has
 * gone, another one is.
 *
 * @throws BusError `topic-exists`, of a topic that is known then; `unavailable` where none answers within 10 s
 */
export async function createTopic(
  { driver, directory, condition }: Creating,
  spec: TopicSpec,
): Promise<void> {
  requireLegalTopic(spec);
  const { name, settings } = spec;
  const isKnown = directory.find(name) !== undefined;
  directory.declare(name, settings);
  try {
    const { nodes } = await askWhileAway(() => driver.describeCluster());
    const replication = Math.min(settings.replication, nodes.length);
    if (replication < settings.replication) {
      condition.warned(
        `topics have ${replication} of the ${settings.replication} copies that are asked for: the cluster has no more brokers`,
      );
    }
    const { partitions } = settings;
    await make(driver, { name, partitions, replication, configs: configsOf(settings) }, isKnown);
    await askWhileAway(() => directory.learnMade(name, partitions));
  } catch (error) {
    // Another process may have made it just now.
    const learning = isThere(error)
      ? askWhileAway(() => directory.learnMade(name, 1))
      : directory.learn(name).catch(() => undefined);
    await learning;
    throw error;
  }
}

/** @param isKnown whether it was there before it is asked for */
function make(driver: Creator, topic: NewTopic, isKnown: boolean): Promise<void> {
  let mayHaveArrived = false;
  return askWhileAway(async () => {
    try {
      await driver.createTopic(topic);
    } catch (error) {
      // What was not answered was that it is made.
      if (mayHaveArrived && !isKnown && isThere(error)) return;
      mayHaveArrived = true;
      throw error;
    }
  });
}

function isThere(error: unknown): boolean {
  return error instanceof BusError && error.code === 'topic-exists';
}
