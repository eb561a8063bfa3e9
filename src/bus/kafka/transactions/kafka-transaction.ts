import { type SchedulerLike, Subject } from 'rxjs';
import type { OutgoingMessage } from '../../../core/message.ts';
import { wholeNumber } from '../../../core/option.ts';
import { BusError, type Published } from '../../../core/publisher.ts';
import type { BusCondition } from '../../bus-condition.ts';
import type { SettledOffset, TransactionOptions, TransactionSession } from '../../transactions.ts';
import type {
  DriverTransactions,
  EndedTransaction,
  KafkaDriver,
  MemberOffsets,
  PartitionBatch,
} from '../driver.ts';
import type { PublishingOptions } from '../kafka-options.ts';
import type { TopicDirectory } from '../cluster/topic-directory.ts';
import { ParkedMemberships } from '../groups/parked-memberships.ts';
import { BatchingSender } from '../publishing/batching-sender.ts';
import { asBusError } from '../publishing/load-store.ts';
import { nothingSeen } from './nothing-seen.ts';
import { ownId } from './own-id.ts';
import { type Participant, TransactionContent } from './transaction-content.ts';
import { TransactionTenure } from './transaction-tenure.ts';

/** What a session needs of its bus. */
export interface TransactionHost {
  readonly driver: Pick<KafkaDriver, 'openTransactions'>;
  readonly directory: Pick<TopicDirectory, 'find' | 'open' | 'get'>;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly publishing: Required<PublishingOptions>;
  readonly closed: (session: KafkaTransaction) => void;
}

/** Transactions of one id, one after the other, on a Kafka cluster. */
export class KafkaTransaction implements TransactionSession {
  readonly timeoutMs: number;
  readonly broken$: Subject<BusError> = new Subject();
  readonly hurry$: Subject<undefined> = new Subject();
  /** Members of groups that no source uses just now. */
  readonly memberships: ParkedMemberships = new ParkedMemberships();
  readonly #host: TransactionHost;
  readonly #id: string;
  readonly #participants = new Set<Participant>();
  /** Whether it ever had a source: what is sent then belongs to one, and needs its proof. */
  #hasSources = false;
  #tenure: TransactionTenure;
  /** What the producer before has left to the next. */
  #left: readonly EndedTransaction[] = [];
  /** Those who hold up a rebalance until all is committed. */
  #waiting: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(host: TransactionHost, id: string, { timeoutMs = 10_000 }: TransactionOptions = {}) {
    this.#host = host;
    this.#id = id;
    this.timeoutMs = wholeNumber('transaction.timeoutMs', timeoutMs, 1);
    this.#tenure = this.#newTenure();
  }

  /** Whoever had the id is fenced, and what was left open aborted, once it has settled. */
  ready(): Promise<void> {
    return this.#tenure.ready();
  }

  partitionsOf(topic: string): number {
    return this.#host.directory.get(topic).partitions;
  }

  send(message: OutgoingMessage, done: Published): void {
    this.#tenure.send(message, done);
  }

  settled(): readonly SettledOffset[] {
    return [...this.#participants].flatMap(participant => participant.settled());
  }

  async commit(): Promise<void> {
    const tenure = this.#tenure;
    const content = new TransactionContent(this.#participants, tenure.hasSent);
    /** How many of those who hold up a rebalance wait for it. */
    const waiting = this.#waiting.length;
    try {
      await tenure.commit(content, () => this.#members(content));
    } catch (error) {
      const problem = asBusError(error);
      if (tenure === this.#tenure && !this.#closing) this.#host.condition.failed(this.#committing, problem);
      throw problem;
    }
    this.#host.condition.worked(this.#committing);
    // More cannot be committed for them: what is in flight still waits for something that may be long in coming.
    this.#release(this.#isClean ? undefined : waiting);
  }

  async abort(): Promise<void> {
    await this.#giveUp('it was aborted');
    if (!this.#closing) this.#tenure = this.#newTenure();
    this.#release();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#giveUp('the session is closed'), this.memberships.leave()]);
    this.#release();
    this.#host.condition.worked(this.#committing);
    this.#host.closed(this);
  }

  // What sources tell.

  enter(participant: Participant): void {
    this.#participants.add(participant);
    this.#hasSources = true;
  }

  leave(participant: Participant): void {
    this.#participants.delete(participant);
    if (participant.isDirty)
      this.break(nothingSeen(this.#id, 'its source was closed before all was committed'));
  }

  /** Whether state of partitions is under way that is only theirs to commit who have them when all is stored. */
  get isTakingStock(): boolean {
    return this.#tenure.isTakingStock;
  }

  /** What is open can no longer be committed. */
  break(why: BusError): void {
    this.#tenure.break(why);
  }

  /** Settles once all is committed that was begun, or it is too late for that. */
  settledForRebalance(): Promise<void> {
    if (this.#isClean) return Promise.resolve();
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      this.#host.scheduler.schedule(() => resolve(), this.timeoutMs / 2);
      this.hurry$.next(undefined);
    });
  }

  get #isClean(): boolean {
    return !this.#tenure.isSending && ![...this.#participants].some(({ isDirty }) => isDirty);
  }

  get #committing(): string {
    return `committing transactions of ${this.#id}`;
  }

  #members(content: TransactionContent): readonly MemberOffsets[] {
    const members = content.members(this.#participants);
    if (members !== undefined) return members;
    if (!this.#hasSources) return [];
    throw new BusError(
      'fenced',
      `transaction of ${this.#id}: its partitions have gone to others, and nothing of it is seen: open a new one, for the partitions that are left`,
    );
  }

  #release(first: number = this.#waiting.length): void {
    for (const settled of this.#waiting.splice(0, first)) settled();
  }

  async #giveUp(why: string): Promise<void> {
    const left = await this.#tenure.giveUp(nothingSeen(this.#id, why));
    if (left) this.#left = left;
  }

  #newTenure(): TransactionTenure {
    return new TransactionTenure({
      openProducer: () => this.#open(),
      newSender: producer => this.#newSender(producer),
      broke: why => {
        this.#release();
        this.broken$.next(why);
      },
    });
  }

  #newSender(producer: Promise<DriverTransactions>): BatchingSender {
    const { publishing } = this.#host;
    const lent = producer.then(open => ({
      send: (batches: readonly PartitionBatch[]) => open.send(batches),
      close: () => Promise.resolve(),
    }));
    lent.catch(() => undefined);
    return new BatchingSender(
      { ...this.#host, openProducer: () => lent },
      { ...publishing, deliveryTimeoutMs: Math.min(publishing.deliveryTimeoutMs, this.timeoutMs) },
    );
  }

  #open(): Promise<DriverTransactions> {
    const { driver, publishing, condition } = this.#host;
    return driver.openTransactions(ownId(this.#id), {
      timeoutMs: this.timeoutMs,
      compression: publishing.compression,
      left: this.#left,
      noted: what => condition.noted(what),
    });
  }
}
