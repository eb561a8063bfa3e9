import type { TopicPartition } from '../../event-bus.ts';
import { placeName } from '../../partition-name.ts';
import { Passing, askUntilSettled } from '../ask-again.ts';
import { leaderless } from '../ask-leaders.ts';
import type { EndedTransaction } from '../driver.ts';
import type { ProducerId } from '../producer-id.ts';
import { mayPass } from '../protocol-errors.ts';
import type { ProduceTransport } from '../publishing/sequenced-producer.ts';
import { offsetsPlaceOf, offsetsTopic } from './offsets-topic.ts';
import { isOwnId } from './own-id.ts';

/** A transaction that is open in a partition. */
export interface OpenTransaction extends TopicPartition, ProducerId {
  /** Of the coordinator that last ended one of its producer's there; -1 for none. */
  readonly coordinatorEpoch: number;
  /** The offset of its first record there. */
  readonly startOffset: number;
}

/** What the leader of a partition tells of it. */
export interface PartitionTransactions extends TopicPartition {
  /** Why it tells nothing: the client's error. */
  readonly error: Error | undefined;
  readonly open: readonly OpenTransaction[];
}

/** What a client does to look after transactions where they have written. */
export interface EndsTransport {
  readonly producing: Pick<ProduceTransport, 'learn' | 'leaderOf' | 'partitionsOf' | 'typeOf' | 'busErrorOf'>;
  /** The transactions that are open in these partitions, of any producer. */
  openTransactions(
    node: number,
    places: readonly TopicPartition[],
  ): Promise<readonly PartitionTransactions[]>;
  /** Ends a transaction in its partition alone, as its coordinator should have. */
  writeMarker(node: number, open: OpenTransaction, isCommit: boolean): Promise<void>;
  /** What all coordinators together know of the last transactions of these producers. */
  knownTransactions(producerIds: readonly bigint[]): Promise<readonly KnownTransaction[]>;
}

/** The last transaction of an id, as its coordinator knows it. */
export interface KnownTransaction {
  readonly id: string;
  readonly producerId: bigint;
  /** As the protocol names it. */
  readonly state: string;
}

/** Where to look, and after whose transactions; default everybody's. */
interface Search extends Pick<EndedTransaction, 'places' | 'groups'> {
  readonly producer?: ProducerId;
}

/** States that tell of a decision that all partitions should know by now: whether it was to commit. */
const decisions: ReadonlyMap<string, boolean> = new Map([
  ['CompleteCommit', true],
  ['CompleteAbort', false],
]);

/** Coordinators have told all partitions of an end within a fraction of this time, ms. */
const underWayMs = 1000;
/** Brokers that have begun anew hear of their topics within this time, ms: one that none knows then is gone. */
const unheardOfMs = 5000;

/**
 * Whether transactions have ended in every partition that they wrote to. Brokers have been seen to leave some out: in
 * Kafka 4 those that have no leader just then, and in any version all of them where the coordinator comes back without
 * knowing the transaction. What is written behind them is seen by nobody; and the next abort by the same producer takes
 * back what was committed.
 */
export class TransactionEnds {
  readonly #transport: EndsTransport;
  readonly #timeoutMs: number;
  /** Topics that this client may not look at. */
  readonly #hidden = new Set<string>();
  #isStale = false;
  #closed = false;

  /** @param timeoutMs how long leaders that cannot be asked are waited for */
  constructor(transport: EndsTransport, timeoutMs: number) {
    this.#transport = transport;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether it is open anywhere, although there was time to end it. @throws the client's error */
  isOpen(ended: EndedTransaction): Promise<boolean> {
    const limitMs = Math.min(underWayMs, this.#timeoutMs / 2);
    return this.#ask(ended, (told, waitedMs) => {
      const place = told.find(({ open }) => open.length > 0);
      if (place === undefined || waitedMs > limitMs) return place !== undefined;
      return stillOpen(place);
    });
  }

  /** Whether it is open wherever it has written. @throws the client's error */
  isOpenEverywhere(ended: EndedTransaction): Promise<boolean> {
    return this.#ask(ended, told => told.every(({ open }) => open.length > 0));
  }

  /**
   * Ends it wherever it is open. To be called when its coordinator is at it no more.
   *
   * @returns where that was
   * @throws the client's error
   */
  async end(ended: EndedTransaction, isCommit: boolean): Promise<readonly TopicPartition[]> {
    const marked: TopicPartition[] = [];
    return this.#ask(ended, async told => {
      for (const open of told.flatMap(place => place.open)) {
        await this.#mark(open, isCommit);
        marked.push(open);
      }
      return marked;
    });
  }

  /**
   * Ends whatever is open in a partition of transactions of this framework that their coordinators have decided. Only
   * of these it is known that nothing came after them, since none of their producers begins another before. To be
   * called when there was more than time enough for them to end.
   *
   * @returns for each that was ended whether it was committed
   * @throws BusError
   */
  async endDecided(place: TopicPartition): Promise<readonly boolean[]> {
    const ended: boolean[] = [];
    /** What was decided of those that were open before their coordinators were asked. */
    const decided = new Map<string, boolean>();
    try {
      return await this.#ask({ places: [place], groups: [] }, async told => {
        const open = told.flatMap(each => each.open);
        for (const each of open) {
          const isCommit = decided.get(nameOf(each));
          if (isCommit === undefined) continue;
          await this.#mark(each, isCommit);
          ended.push(isCommit);
        }
        const others = open.filter(each => !decided.has(nameOf(each)));
        for (const [each, isCommit] of await this.#decisionsOn(others)) decided.set(nameOf(each), isCommit);
        // It may just have ended here too, and the next of its producer be open: what is left open is so behind it.
        return others.some(each => decided.has(nameOf(each))) ? stillOpen(place) : ended;
      });
    } catch (error) {
      const doing = `ending transactions in ${placeName(place)}`;
      throw this.#transport.producing.busErrorOf(error, doing, 'Alter on the cluster');
    }
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#closed = true;
  }

  #ask<A>(
    search: Search,
    answer: (told: readonly PartitionTransactions[], waitedMs: number) => A | Passing | Promise<A | Passing>,
  ): Promise<A> {
    const began = performance.now();
    const attempt = async (): Promise<A | Passing> => {
      const waitedMs = performance.now() - began;
      try {
        return await answer(await this.#told(search, waitedMs), waitedMs);
      } catch (error) {
        this.#isStale = true;
        if (error instanceof Error && mayPass(this.#transport.producing.busErrorOf(error, '', '')))
          return new Passing(error);
        throw error;
      }
    };
    return askUntilSettled(attempt, { atMostMs: this.#timeoutMs, isOver: () => this.#closed });
  }

  /** @throws what stands in the way of knowing */
  async #told(
    { producer, places, groups }: Search,
    waitedMs: number,
  ): Promise<readonly PartitionTransactions[]> {
    const { producing } = this.#transport;
    const topics = [...places.map(({ topic }) => topic), ...groups.map(() => offsetsTopic)];
    const visible = [...new Set(topics)].filter(topic => !this.#hidden.has(topic));
    if (visible.length === 0) return [];
    const refusals = await producing.learn(visible, this.#isStale);
    this.#isStale = false;
    for (const [topic, refusal] of refusals) this.#requireOutOfSight(topic, refusal, waitedMs);
    const known = new Set(visible.filter(topic => !refusals.has(topic)));
    const offsets = groups.map(group => offsetsPlaceOf(group, producing.partitionsOf(offsetsTopic)));
    const wanted = [...places, ...offsets].filter(({ topic }) => known.has(topic));
    const led = Map.groupBy(wanted, place => this.#leaderOf(place));
    const answers = await Promise.all(
      [...led].map(([node, ofNode]) => this.#transport.openTransactions(node, ofNode)),
    );
    return answers.flat().flatMap(({ error, open, ...place }) => {
      if (error) {
        this.#requireOutOfSight(place.topic, error, waitedMs);
        return [];
      }
      const wantedOpen = open.filter(
        ({ producerId }) => producer === undefined || producerId === producer.producerId,
      );
      return [{ ...place, error, open: wantedOpen }];
    });
  }

  /** @throws BusError `unavailable` where there is none now */
  #leaderOf(place: TopicPartition): number {
    const node = this.#transport.producing.leaderOf(place);
    if (node === undefined) throw leaderless(place.topic, [place.partition]);
    return node;
  }

  /** Those of which the coordinators tell a decision. */
  async #decisionsOn(
    open: readonly OpenTransaction[],
  ): Promise<readonly (readonly [OpenTransaction, boolean])[]> {
    if (open.length === 0) return [];
    const known = await this.#transport.knownTransactions(open.map(({ producerId }) => producerId));
    return open.flatMap(each => {
      const { state = '' } =
        known.find(({ id, producerId }) => producerId === each.producerId && isOwnId(id)) ?? {};
      const isCommit = decisions.get(state);
      return isCommit === undefined ? [] : [[each, isCommit] as const];
    });
  }

  async #mark(open: OpenTransaction, isCommit: boolean): Promise<void> {
    await this.#transport.writeMarker(this.#leaderOf(open), open, isCommit);
  }

  /** @throws the error, but for that of a topic that is gone or may not be looked at: there is nothing to know of it */
  #requireOutOfSight(topic: string, error: unknown, waitedMs: number): void {
    const type = this.#transport.producing.typeOf(error);
    if (type === 'TOPIC_AUTHORIZATION_FAILED') this.#hidden.add(topic);
    else if (type !== 'UNKNOWN_TOPIC_OR_PARTITION' || waitedMs <= unheardOfMs) throw error;
  }
}

/** Tells a transaction in a partition from the others of its producer. */
function nameOf({ producerId, startOffset }: OpenTransaction): string {
  return `${producerId} at ${startOffset}`;
}

function stillOpen(place: TopicPartition): Passing {
  return new Passing(new Error(`a transaction is still open in ${placeName(place)}`));
}
