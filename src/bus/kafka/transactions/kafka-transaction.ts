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
import { ownId } from './own-id.ts';
import { type Participant, TransactionContent } from './transaction-content.ts';

/** What a session needs of its bus. */
export interface TransactionHost {
  readonly driver: Pick<KafkaDriver, 'openTransactions'>;
  readonly directory: Pick<TopicDirectory, 'find' | 'open' | 'get'>;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly publishing: Required<PublishingOptions>;
  readonly closed: (session: KafkaTransaction) => void;
}

/** How long batches under way are waited for when what they are part of is given up, ms. */
const abandonMs = 2000;

/** From one abort to the next: a producer, and what waits to be sent by it. */
interface Work {
  readonly producer: Promise<DriverTransactions>;
  readonly sender: BatchingSender;
}

interface Asked {
  readonly message: OutgoingMessage;
  readonly done: Published;
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
  #work: Work | undefined;
  #broken: BusError | undefined;
  /** Whether something was sent that is not committed. */
  #hasSent = false;
  /** What the producer before has left to the next. */
  #left: readonly EndedTransaction[] = [];
  /** What was sent while the transaction before is being ended. */
  #next: Asked[] | undefined;
  /** Those who hold up a rebalance until all is committed. */
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(host: TransactionHost, id: string, { timeoutMs = 10_000 }: TransactionOptions = {}) {
    this.#host = host;
    this.#id = id;
    this.timeoutMs = wholeNumber('transaction.timeoutMs', timeoutMs, 1);
  }

  /** Whoever had the id is fenced, and what was left open aborted, once it has settled. */
  async ready(): Promise<void> {
    await this.#working().producer;
  }

  partitionsOf(topic: string): number {
    return this.#host.directory.get(topic).partitions;
  }

  send(message: OutgoingMessage, done: Published): void {
    if (this.#closed) return done(this.#over('the session is closed'), undefined);
    if (this.#broken) return done(this.#over(this.#broken.message), undefined);
    if (this.#next) {
      this.#next.push({ message, done });
      return undefined;
    }
    this.#hasSent = true;
    return this.#working().sender.send(message, (error, receipt) => {
      // Whether it is stored is not known, or it is not although others behind it may be.
      if (error && (error.code === 'fenced' || (error.retryable && error.code !== 'buffer-full')))
        this.break(error);
      done(error, receipt);
    });
  }

  settled(): readonly SettledOffset[] {
    return [...this.#participants].flatMap(participant => participant.settled());
  }

  async commit(): Promise<void> {
    const content = new TransactionContent(this.#participants, this.#hasSent);
    /** How many of those who hold up a rebalance wait for it. */
    const waiting = this.#waiting.length;
    // What comes from here on is of the next.
    this.#next = [];
    this.#hasSent = false;
    try {
      await this.#work?.sender.idle();
      this.#requireWhole();
      const members = this.#members(content);
      if (members.length > 0 || content.hasSent) await (await this.#working().producer).commit(members);
      this.#requireWhole();
      content.committed();
      this.#host.condition.worked(this.#committing);
      // More cannot be committed for them: what is in flight still waits for something that may be long in coming.
      this.#release(waiting);
    } catch (error) {
      const problem = asBusError(error);
      this.#host.condition.failed(this.#committing, problem);
      this.#broken ??= problem;
      throw problem;
    }
    this.#goOn();
  }

  async abort(): Promise<void> {
    this.#broken ??= this.#over('it was aborted');
    await this.#drop();
    this.#broken = undefined;
    this.#hasSent = false;
    this.#release();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.#drop(), this.memberships.leave()]);
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
    if (participant.isDirty) this.break(this.#over('its source was closed before all was committed'));
  }

  /** What is open can no longer be committed. */
  break(why: BusError): void {
    if (this.#broken || this.#closed) return;
    this.#broken = why;
    this.#release();
    this.broken$.next(why);
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
    const isSending = this.#hasSent || (this.#next?.length ?? 0) > 0;
    return !isSending && ![...this.#participants].some(({ isDirty }) => isDirty);
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

  #goOn(): void {
    const next = this.#next ?? [];
    this.#next = undefined;
    for (const { message, done } of next) this.send(message, done);
    if (this.#isClean) this.#release();
  }

  #release(first: number = this.#waiting.length): void {
    for (const settled of this.#waiting.splice(0, first)) settled();
  }

  async #drop(): Promise<void> {
    const [work, next] = [this.#work, this.#next ?? []];
    this.#work = undefined;
    this.#next = undefined;
    for (const { done } of next) done(this.#over('it was aborted'), undefined);
    if (work === undefined) return;
    await work.sender.abandon(abandonMs);
    const producer = await work.producer.catch(() => undefined);
    if (producer === undefined) return;
    await producer.close();
    this.#left = producer.left;
  }

  #working(): Work {
    if (this.#work) return this.#work;
    const { publishing } = this.#host;
    const producer = this.#open();
    // Whoever needs it is told.
    producer.catch(() => undefined);
    const lent = producer.then(open => ({
      send: (batches: readonly PartitionBatch[]) => open.send(batches),
      close: () => Promise.resolve(),
    }));
    lent.catch(() => undefined);
    const sender = new BatchingSender(
      { ...this.#host, openProducer: () => lent },
      { ...publishing, deliveryTimeoutMs: Math.min(publishing.deliveryTimeoutMs, this.timeoutMs) },
    );
    this.#work = { producer, sender };
    return this.#work;
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

  #requireWhole(): void {
    if (this.#broken) throw this.#broken;
    if (this.#closed) throw this.#over('the session is closed');
  }

  #over(why: string): BusError {
    return new BusError(
      'unavailable',
      `transaction of ${this.#id}: ${why}, and nothing of it is seen: open a new one, which begins at what was committed`,
    );
  }
}
