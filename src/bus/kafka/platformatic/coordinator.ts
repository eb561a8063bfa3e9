import { setTimeout as wait } from 'node:timers/promises';
import type { API } from '@platformatic/kafka';
import type { Brokers } from './brokers.ts';
import { typeOf } from './platformatic-errors.ts';

const stepMs = 100;
const atMostMs = 10_000;
const ofGroups = 0;

/** What a broker says that does not keep the group, or does not know yet that it does. */
const coordinatorMoves = new Set<string | undefined>([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
]);

export function isCoordinatorMove(error: unknown): boolean {
  return coordinatorMoves.has(typeOf(error));
}

/** The node that keeps a group. @throws the client's error */
export async function findCoordinator(brokers: Brokers, group: string): Promise<number> {
  const { coordinators } = await brokers.askAny(brokers.client.findCoordinatorV3.api, ofGroups, [group]);
  const [coordinator] = coordinators;
  if (coordinator === undefined) throw new Error(`no broker is told for group ${group}`);
  return coordinator.nodeId;
}

/** Asks the node that keeps a group; for a while where it is only being made, as at the first use of any group. */
export async function askCoordinator<Args extends unknown[], A>(
  brokers: Brokers,
  group: string,
  api: API<Args, A>,
  ...args: Args
): Promise<A> {
  for (let waited = 0; ; waited += stepMs) {
    try {
      return await brokers.ask(await findCoordinator(brokers, group), api, ...args);
    } catch (error) {
      if (waited >= atMostMs || !isCoordinatorMove(error)) throw error;
      await wait(stepMs);
    }
  }
}
