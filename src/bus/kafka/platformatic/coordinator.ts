import type { API } from '@platformatic/kafka';
import { askAgain, coordinatorMoves } from '../ask-again.ts';
import type { Brokers } from './brokers.ts';
import { typeOf } from './platformatic-errors.ts';

const ofGroups = 0;

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
export function askCoordinator<Args extends unknown[], A>(
  brokers: Brokers,
  group: string,
  api: API<Args, A>,
  ...args: Args
): Promise<A> {
  const ask = async (): Promise<A> => brokers.ask(await findCoordinator(brokers, group), api, ...args);
  return askAgain(ask, typeOf, coordinatorMoves);
}
