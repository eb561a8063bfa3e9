import type { Cluster } from 'kafkajs';

/** What kafkajs's consumer asks of its cluster and of a coordinator beside their published types. */
interface JoiningBroker {
  joinGroup: (request: unknown) => Promise<{ readonly generationId: number; readonly memberId: string }>;
}

interface JoiningCluster {
  findGroupCoordinator: (what: unknown) => Promise<JoiningBroker>;
}

export interface JoinWatch {
  /** Settles when the member may join, and so give up what it has. */
  before(): Promise<void>;
  /** The group has begun a generation with this member in it. */
  joined(generation: number, memberId: string): void;
}

/**
 * Holds a consumer of kafkajs up before it joins its group, and tells who has joined which generation: kafkajs tells
 * when it knows what it has been assigned, and never of which generation.
 */
export function watchJoins(cluster: Cluster, watch: JoinWatch): void {
  const joining = cluster as unknown as JoiningCluster;
  const watched = new WeakSet<JoiningBroker>();
  const find = joining.findGroupCoordinator.bind(joining);
  joining.findGroupCoordinator = async what => {
    const broker = await find(what);
    if (watched.has(broker)) return broker;
    watched.add(broker);
    const join = broker.joinGroup.bind(broker);
    broker.joinGroup = async request => {
      await watch.before();
      const group = await join(request);
      watch.joined(group.generationId, group.memberId);
      return group;
    };
    return broker;
  };
}
