import type { Broker, Cluster } from 'kafkajs';
import type { TopicPartition } from '../../event-bus.ts';
import { Passing, type Patience, askUntilSettled } from '../ask-again.ts';
import { forgetClosed, isOfConnection, typeOf } from './kafkajs-errors.ts';
import { type Decoder, type RawRequest, protocolError, sendRaw } from './raw-request.ts';

const coordinatorTypes = { group: 0, transaction: 1 } as const;

/** Codes of errors that pass by themselves: of a time-out, of coordinators, of what is under way, of a new topic. */
const passing = {
  REQUEST_TIMED_OUT: 7,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  CONCURRENT_TRANSACTIONS: 51,
  UNSTABLE_OFFSET_COMMIT: 88,
} as const;
const passingCodes: ReadonlySet<number> = new Set(Object.values(passing));
const elsewhere: ReadonlySet<number> = new Set([passing.COORDINATOR_NOT_AVAILABLE, passing.NOT_COORDINATOR]);

/** What an answer says of one thing it was asked about. */
export interface Answer {
  readonly code: number;
}

/** What became of one partition that a request names. */
export interface PlaceAnswer extends Answer, TopicPartition {}

/** @throws kafkajs's error of what was refused */
export function requireDone(answers: readonly Answer[]): void {
  for (const { code } of answers) {
    const error = protocolError(code, null);
    if (error) throw error;
  }
}

/** An answer that is a code and nothing else, behind the time for which the broker held it back. */
export function codeAlone(decoder: Decoder): readonly Answer[] {
  decoder.readInt32();
  return [{ code: decoder.readInt16() }];
}

/** What a broker of kafkajs, and its cluster, do beside their published types. */
interface Finding {
  findGroupCoordinator(what: {
    readonly groupId: string;
    readonly coordinatorType: number;
  }): Promise<unknown>;
}

const refusals = new Set<string | undefined>([
  'GROUP_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
]);

/**
 * Asks whether a group or a transactional id may be used at all: where it may not, kafkajs only says later that it
 * has no coordinator.
 *
 * @throws kafkajs's error for a missing right; what else goes wrong is left to whoever uses it
 */
export async function requireRight(
  cluster: Cluster,
  kind: keyof typeof coordinatorTypes,
  key: string,
): Promise<void> {
  try {
    await cluster.refreshMetadataIfNecessary();
    const [node] = cluster.getNodeIds();
    if (node === undefined) return;
    const broker: unknown = await cluster.findBroker({ nodeId: String(node) });
    const coordinatorType = coordinatorTypes[kind];
    await (broker as Finding).findGroupCoordinator({ groupId: key, coordinatorType });
  } catch (error) {
    if (refusals.has(typeOf(error))) throw error;
  }
}

/** The broker that keeps a group or a transaction, asked again while what it says will pass. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #kind: keyof typeof coordinatorTypes;
  readonly #key: string;
  readonly #patience: Patience;
  readonly #unanswered: () => void;
  #broker: Promise<Broker> | undefined;
  #closed = false;

  /**
   * @param patience with what should pass
   * @param unanswered told of each attempt that may have arrived, or may yet, although nothing was answered, or only
   *   that it took too long
   */
  constructor(
    cluster: Cluster,
    kind: keyof typeof coordinatorTypes,
    key: string,
    patience: Patience,
    unanswered: () => void = () => undefined,
  ) {
    this.#cluster = cluster;
    this.#kind = kind;
    this.#key = key;
    this.#patience = patience;
    this.#unanswered = unanswered;
  }

  /**
   * Sends a request that may be sent again as it is.
   *
   * @returns the answers, none of which will pass by itself
   * @throws kafkajs's error where that has taken too long
   */
  ask<A extends Answer>(request: RawRequest<readonly A[]>): Promise<readonly A[]> {
    const isOver = (): boolean => this.#closed || this.#patience.isOver?.() === true;
    return askUntilSettled(() => this.#try(request), { ...this.#patience, isOver });
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#closed = true;
  }

  async #try<A extends Answer>(request: RawRequest<readonly A[]>): Promise<readonly A[] | Passing> {
    let isAsked = false;
    try {
      const broker = await this.#found();
      isAsked = true;
      const answers = await sendRaw(broker, request);
      const again = answers.find(({ code }) => passingCodes.has(code));
      if (again === undefined) return answers;
      if (again.code === passing.REQUEST_TIMED_OUT) this.#unanswered();
      if (elsewhere.has(again.code)) this.#broker = undefined;
      return new Passing(
        protocolError(again.code, null) ?? new Error(`${request.apiName} answered ${again.code}`),
      );
    } catch (error) {
      this.#broker = undefined;
      forgetClosed(this.#cluster, error);
      if (!(error instanceof Error && isOfConnection(error))) throw error;
      if (isAsked) this.#unanswered();
      return new Passing(error);
    }
  }

  #found(): Promise<Broker> {
    this.#broker ??= (this.#cluster as unknown as Finding)
      .findGroupCoordinator({ groupId: this.#key, coordinatorType: coordinatorTypes[this.#kind] })
      .then(broker => broker as Broker);
    return this.#broker;
  }
}
