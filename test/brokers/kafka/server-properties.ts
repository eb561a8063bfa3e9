import { join } from 'node:path';

/** The ports of one node; each listens on loopback alone. */
export interface NodePorts {
  /** For clients; the others are between the nodes. */
  readonly client: number;
  readonly internal: number;
  readonly controller: number;
}

export type Properties = Readonly<Record<string, string>>;

/** What a node, broker and controller in one, is told of itself and the others, but for what concerns security. */
export function serverProperties(id: number, nodes: readonly NodePorts[], folder: string): Properties {
  const own = nodes[id - 1];
  if (own === undefined) throw new Error(`node ${id} of ${nodes.length}`);
  const replicas = String(Math.min(3, nodes.length));
  const inSync = String(Math.min(2, nodes.length));
  const voters = nodes.map(({ controller }, at) => `${at + 1}@127.0.0.1:${controller}`);
  const forOthers = `CLIENT://127.0.0.1:${own.client},INTERNAL://127.0.0.1:${own.internal}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    listeners: `${forOthers},CONTROLLER://127.0.0.1:${own.controller}`,
    'advertised.listeners': forOthers,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    'log.dirs': join(folder, 'data'),
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '8',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
  };
}

/** In the format of Java, whose values know only the backslash as special. */
export function asPropertiesFile(properties: Properties): string {
  const lines = Object.entries(properties).map(
    ([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`,
  );
  return lines.join('');
}

/** For tests that kill brokers: leaders move, and a killed broker may come back, after 2 s instead of 9 s. */
export const quickFailover: Properties = {
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '500',
};
