import { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { placeName } from '../../partition-name.ts';
import type {
  DriverTransactions,
  EndedTransaction,
  MemberOffsets,
  PartitionBatch,
  StoreOutcome,
  TransactionsOptions,
} from '../driver.ts';
import { type ProducerId, nobody } from '../producer-id.ts';
import { type ProduceTransport, SequencedProducer } from '../publishing/sequenced-producer.ts';
import { nothingSeen } from './nothing-seen.ts';
import { type EndsTransport, TransactionEnds } from './transaction-ends.ts';
import { type RefusedPlace, TransactionSpan } from './transaction-span.ts';

/** Brokers let no transaction be open for longer, as they are configured by default, ms. */
export const longestTransactionMs: number = 15 * 60_000;

/** Who asks: the transactional id, and the name under which brokers count what it sends. */
export interface TransactionalId extends ProducerId {
  readonly id: string;
}

/**
 * What a client does for transactions of one id, over connections of its own. Coordinators are asked again while what
 * they say will pass. Errors are the client's.
 */
export interface TransactionTransport {
  readonly producing: ProduceTransport;
  readonly ends: EndsTransport;
  /**
   * Fences whoever had the id, and aborts what it left open.
   *
   * @param before the name that goes on under another epoch, or `nobody`; refused where another has the id by now and
   *   none of its transactions is open, which would be aborted
   */
  identify(id: string, timeoutMs: number, before: ProducerId): Promise<ProducerId>;
  /** Partitions that will be written to; the first begin a transaction. Where one is refused none is added. */
  addPartitions(self: TransactionalId, places: readonly TopicPartition[]): Promise<readonly RefusedPlace[]>;
  /** The group whose offsets will be committed. */
  addGroup(self: TransactionalId, group: string): Promise<void>;
  /** What a member has come to, which counts once the transaction is committed; refused where it is none any more. */
  commitOffsets(self: TransactionalId, offsets: MemberOffsets): Promise<void>;
  end(self: TransactionalId, isCommit: boolean): Promise<void>;
  /** Whether a request since `identify` got no answer, or that of a time-out, and may yet arrive. */
  readonly isInDoubt: boolean;
  /** Waits no more for what should pass. */
  hurry(): void;
}

/** Errors that say that somebody else has taken over: the producer's id, or the member's partitions. */
const fencing: ReadonlySet<string | undefined> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'PRODUCER_FENCED',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
]);

/** Of a request that named several partitions one of which failed. */
const notAttempted = 'OPERATION_NOT_ATTEMPTED';

/**
 * Transactions by requests of our own, the same over every client: clients' own producers wait for long, or commit
 * offsets for whoever asks.
 */
export class TransactionalProducer implements DriverTransactions {
  readonly #transport: TransactionTransport;
  readonly #options: TransactionsOptions;
  readonly #span: TransactionSpan;
  readonly #ends: TransactionEnds;
  #self: TransactionalId;
  #producer: SequencedProducer;
  #sending = 0;
  #isCommitting = false;
  #closed = false;
  /** Whether a request of the transaction before may yet arrive. */
  #isInDoubt = false;
  /** What was committed last, until it is known to have ended wherever it has written. */
  #last: EndedTransaction | undefined;
  /** Whether what is open may be committed by now. */
  #isCommitAsked = false;
  #preparing: Promise<void> | undefined;
  /** What is being committed once more: cut off it would be aborted, and what was committed with it. */
  #committingAgain: Promise<void> | undefined;

  private constructor(transport: TransactionTransport, self: TransactionalId, options: TransactionsOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#self = self;
    this.#producer = this.#newProducer();
    this.#ends = new TransactionEnds(transport.ends, options.timeoutMs);
    const { typeOf } = transport.producing;
    this.#span = new TransactionSpan({
      addPartitions: places => transport.addPartitions(this.#self, places),
      addGroup: group => transport.addGroup(this.#self, group),
      isNotAttempted: ({ error }) => typeOf(error) === notAttempted,
      refusalOf: ({ topic, error }) =>
        this.#errorOf(error, `publishing to ${topic}`, `Write on topic ${topic}`),
      errorOf: error => this.#errorOf(error, `beginning a transaction of ${self.id}`),
    });
  }

  /** @throws BusError */
  static async open(
    transport: TransactionTransport,
    id: string,
    options: TransactionsOptions,
  ): Promise<TransactionalProducer> {
    const { producing } = transport;
    try {
      const self = { id, ...(await transport.identify(id, options.timeoutMs, nobody)) };
      const opened = new TransactionalProducer(transport, self, options);
      await opened.#endLeft(options.left ?? []);
      return opened;
    } catch (error) {
      await producing.close();
      throw producing.busErrorOf(error, `opening transactions of ${id}`, `Write on transactional id ${id}`);
    }
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    this.#sending++;
    try {
      return await this.#send(batches);
    } finally {
      this.#sending--;
    }
  }

  async #send(batches: readonly PartitionBatch[]): Promise<readonly StoreOutcome[]> {
    await this.#prepared();
    this.#requireOpen();
    const refusals = await this.#span.addPlaces(batches);
    const added = batches.filter(batch => !refusals.has(placeName(batch)));
    const stored = added.length === 0 ? [] : await this.#producer.send(added);
    const outcomes = new Map(added.map((batch, i) => [placeName(batch), stored[i]]));
    return batches.map(batch => {
      const place = placeName(batch);
      return refusals.get(place) ?? outcomes.get(place) ?? untold(batch);
    });
  }

  async commit(members: readonly MemberOffsets[]): Promise<void> {
    if (members.length === 0 && !this.#span.isOpen) return;
    this.#isCommitting = true;
    try {
      await this.#commit(members);
    } finally {
      this.#isCommitting = false;
    }
  }

  async #commit(members: readonly MemberOffsets[]): Promise<void> {
    await this.#prepared();
    const groups = new Set(members.map(({ member: { group } }) => group));
    try {
      this.#requireOpen();
      await this.#span.addGroups(groups);
      for (const offsets of members) {
        this.#requireOpen();
        await this.#transport.commitOffsets(this.#self, offsets);
      }
      this.#requireOpen();
      this.#isCommitAsked = true;
      await this.#transport.end(this.#self, true);
    } catch (error) {
      if (error instanceof BusError) throw error;
      const isOfGroup = this.#transport.producing.typeOf(error) === 'GROUP_AUTHORIZATION_FAILED';
      const right = isOfGroup ? `Read on group ${[...groups].join(', ')}` : undefined;
      throw this.#errorOf(error, `committing a transaction of ${this.#self.id}`, right);
    }
    this.#last = this.#spanned(true);
    this.#span.committed(groups);
    this.#isCommitAsked = false;
    this.#isInDoubt = this.#transport.isInDoubt;
    // Whoever begins the next finds it done, or is told.
    void this.#prepared().catch(() => undefined);
  }

  get left(): readonly EndedTransaction[] {
    const open = this.#span.isOpen ? this.#spanned(this.#isCommitAsked ? undefined : false) : undefined;
    return [this.#last, open].filter(each => each !== undefined);
  }

  #spanned(isCommitted: boolean | undefined): EndedTransaction {
    const { written: places, groups } = this.#span;
    return { producer: this.#self, isCommitted, places, groups };
  }

  /** The transaction before is over, and nothing of it can disturb the next. */
  #prepared(): Promise<void> {
    if (this.#last === undefined && !this.#isInDoubt) return Promise.resolve();
    this.#preparing ??= this.#prepare().finally(() => (this.#preparing = undefined));
    return this.#preparing;
  }

  async #prepare(): Promise<void> {
    const { id } = this.#self;
    const last = this.#last;
    try {
      if (this.#isInDoubt || (last && (await this.#ends.isOpen(last)))) {
        await this.#renew();
        if (last) await this.#end(last, true);
      }
    } catch (error) {
      throw this.#errorOf(error, `beginning a transaction of ${id}`);
    }
    this.#last = undefined;
  }

  /**
   * Another epoch, before anything is asked for the next transaction: a request that got no answer, and was made again,
   * may arrive when that is open, and commit it before its time, or earlier offsets with it. Brokers tell it by its
   * epoch alone, and give one when the transaction before is over.
   */
  async #renew(): Promise<void> {
    const { id } = this.#self;
    this.#self = { id, ...(await this.#transport.identify(id, this.#options.timeoutMs, this.#self)) };
    this.#producer = this.#newProducer();
    this.#isInDoubt = false;
  }

  /** What another producer of this id has left, now that its coordinator has ended what it knew of. */
  async #endLeft(left: readonly EndedTransaction[]): Promise<void> {
    for (const ended of left) {
      const { isCommitted, producer } = ended;
      if (isCommitted !== undefined) await this.#end(ended, isCommitted);
      // A coordinator that gives another name has forgotten the transaction: it counts nowhere, or was never decided.
      else if (producer.producerId !== this.#self.producerId && (await this.#ends.isOpenEverywhere(ended)))
        await this.#end(ended, false);
    }
  }

  async #end(ended: EndedTransaction, isCommit: boolean): Promise<void> {
    const how = isCommit ? 'committed' : 'aborted';
    const found = `transaction of ${this.#self.id}: brokers had left it open although it was ${how}`;
    try {
      const places = await this.#ends.end(ended, isCommit);
      if (places.length > 0) this.#options.noted?.(`${found}: ended in ${places.map(placeName).join(', ')}`);
    } catch (error) {
      if (this.#transport.producing.typeOf(error) !== 'CLUSTER_AUTHORIZATION_FAILED') throw error;
      if (isCommit && ended.producer.producerId === this.#self.producerId) {
        this.#committingAgain = this.#commitAgain(ended);
        await this.#committingAgain;
      } else
        this.#options.noted?.(
          `${found}: grant Alter on the cluster for it to be ended, or let Kafka's kafka-transactions.sh abort it`,
        );
    }
  }

  /** The same partitions in a transaction without content: its end is that of what is open there. */
  async #commitAgain({ places, groups }: EndedTransaction): Promise<void> {
    if (places.length > 0) await this.#transport.addPartitions(this.#self, places);
    for (const group of groups) await this.#transport.addGroup(this.#self, group);
    await this.#transport.end(this.#self, true);
  }

  #newProducer(): SequencedProducer {
    const self = this.#self;
    return new SequencedProducer(this.#transport.producing, {
      compression: this.#options.compression,
      idempotent: true,
      transaction: { id: self, fenced: cause => fencedError(self.id, cause) },
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#committingAgain?.catch(() => undefined);
    this.#transport.hurry();
    this.#ends.close();
    // What comes after an abort would begin a transaction that nobody ends, or that a commit under way does.
    const isBusy = this.#span.isAdding || this.#sending > 0 || this.#isCommitting;
    try {
      if (this.#span.isOpen && !isBusy) await this.#transport.end(this.#self, false);
    } catch {
      // The brokers abort it in its time, or when the next of this id is opened.
    }
    await this.#producer.close();
  }

  /** Behind whatever was waited for: a request that is made then would begin another transaction, of the rest only. */
  #requireOpen(): void {
    if (this.#closed) throw nothingSeen(this.#self.id, 'its producer was closed');
  }

  #errorOf(
    error: unknown,
    doing: string,
    right: string = `Write on transactional id ${this.#self.id}`,
  ): BusError {
    const { typeOf, busErrorOf } = this.#transport.producing;
    if (error instanceof Error && fencing.has(typeOf(error))) return fencedError(this.#self.id, error);
    return busErrorOf(error, doing, right);
  }
}

/** Of a transaction that can no longer be committed, because its producer or the member that it is for is replaced. */
function fencedError(id: string, cause: Error): BusError {
  const text = `transaction of ${id}: ${cause.message}: nothing of it is seen; open a new one, which begins at what was committed`;
  return new BusError('fenced', text, { cause });
}

function untold({ topic, partition }: TopicPartition): BusError {
  const text = `publishing to ${topic}: the brokers told nothing of partition ${partition}: publish it again`;
  return new BusError('unavailable', text);
}
