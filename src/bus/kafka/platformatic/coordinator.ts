import type { API } from '@platformatic/kafka';
import { Passing, type Patience, askAgain, askUntilSettled, coordinatorMoves } from '../ask-again.ts';
import type { Brokers } from './brokers.ts';
import { busErrorOf, typeOf } from './platformatic-errors.ts';

const coordinatorTypes = { group: 0, transaction: 1 } as const;

/** What passes by itself: time-outs, moves of coordinators, what is under way. */
const passing: ReadonlySet<string | undefined> = new Set([
  ...coordinatorMoves,
  'REQUEST_TIMED_OUT',
  'CONCURRENT_TRANSACTIONS',
  'UNSTABLE_OFFSET_COMMIT',
]);

export function isCoordinatorMove(error: unknown): boolean {
  return coordinatorMoves.has(typeOf(error));
}

/** The node that keeps a group, or a transaction. @throws the client's error */
export async function findCoordinator(
  brokers: Brokers,
  key: string,
  kind: keyof typeof coordinatorTypes = 'group',
): Promise<number> {
  const { findCoordinatorV3 } = brokers.client;
  const { coordinators } = await brokers.askAny(findCoordinatorV3.api, coordinatorTypes[kind], [key]);
  const [coordinator] = coordinators;
  if (coordinator === undefined) throw new Error(`no broker is told for ${kind} ${key}`);
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

/** The node that keeps a group or a transaction, asked again while what it says will pass, or it cannot be reached. */
export class Coordinator {
  readonly #brokers: Brokers;
  readonly #kind: keyof typeof coordinatorTypes;
  readonly #key: string;
  readonly #patience: Patience;
  readonly #unanswered: () => void;
  #node: number | undefined;
  #closed = false;

  /**
   * @param patience with what should pass
   * @param unanswered told of each attempt that may have arrived, or may yet, although nothing was answered, or only
   *   that it took too long
   */
  constructor(
    brokers: Brokers,
    kind: keyof typeof coordinatorTypes,
    key: string,
    patience: Patience,
    unanswered: () => void = () => undefined,
  ) {
    this.#brokers = brokers;
    this.#kind = kind;
    this.#key = key;
    this.#patience = patience;
    this.#unanswered = unanswered;
  }

  /** Makes a request that may be made again as it is. @throws the client's error where that has taken too long */
  ask<Args extends unknown[], A>(api: API<Args, A>, ...args: Args): Promise<A> {
    const isOver = (): boolean =>
      this.#closed || this.#brokers.isClosed || this.#patience.isOver?.() === true;
    return askUntilSettled(() => this.#try(api, args), { ...this.#patience, isOver });
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#closed = true;
  }

  async #try<Args extends unknown[], A>(api: API<Args, A>, args: Args): Promise<A | Passing> {
    let isAsked = false;
    try {
      this.#node ??= await findCoordinator(this.#brokers, this.#key, this.#kind);
      isAsked = true;
      return await this.#brokers.ask(this.#node, api, ...args);
    } catch (error) {
      const type = typeOf(error);
      if (type === undefined || isCoordinatorMove(error)) this.#node = undefined;
      const passes = type === undefined ? busErrorOf(error, api.name).retryable : passing.has(type);
      if (isAsked && (type === undefined || type === 'REQUEST_TIMED_OUT')) this.#unanswered();
      if (passes && error instanceof Error) return new Passing(error);
      throw error;
    }
  }
}
