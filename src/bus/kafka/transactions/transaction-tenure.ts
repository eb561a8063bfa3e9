import type { OutgoingMessage } from '../../../core/message.ts';
import { BusError, type Published } from '../../../core/publisher.ts';
import type { DriverTransactions, EndedTransaction, MemberOffsets } from '../driver.ts';
import type { BatchingSender } from '../publishing/batching-sender.ts';
import { asBusError } from '../publishing/load-store.ts';
import type { TransactionContent } from './transaction-content.ts';

/** What a tenure needs of its session. */
export interface TenureHost {
  /** Who is waited for is waited for by all. */
  readonly openProducer: () => Promise<DriverTransactions>;
  readonly newSender: (producer: Promise<DriverTransactions>) => BatchingSender;
  /** What is open can no longer be committed. */
  readonly broke: (why: BusError) => void;
}

/** How long batches under way are waited for when what they are part of is given up, ms. */
const abandonMs = 2000;

/** Made when it is first needed. */
interface Work {
  readonly producer: Promise<DriverTransactions>;
  readonly sender: BatchingSender;
}

interface Asked {
  readonly message: OutgoingMessage;
  readonly done: Published;
}

/**
 * What a session does from one abort to the next, by one producer. Once it is given up nothing that it still has under
 * way can end well, or reach the next: a commit that waits for brokers, or for what it is to commit to be stored, may
 * wait for longer than it takes to begin anew.
 */
export class TransactionTenure {
  readonly #host: TenureHost;
  #work: Work | undefined;
  #broken: BusError | undefined;
  /** Whether something was sent that is not committed. */
  #hasSent = false;
  /** What was sent while the transaction before is being ended. */
  #next: Asked[] | undefined;
  /** Whether a commit has taken stock and not yet told as whom it is made. */
  #isTakingStock = false;
  #dropped: Promise<readonly EndedTransaction[] | undefined> | undefined;

  constructor(host: TenureHost) {
    this.#host = host;
  }

  /** Whoever had the id before is fenced. */
  async ready(): Promise<void> {
    this.#requireWhole();
    await this.#working().producer;
  }

  /** Whether something was sent in the open transaction. */
  get hasSent(): boolean {
    return this.#hasSent;
  }

  /** Whether something was sent that is not known to be committed, or may have been. */
  get isSending(): boolean {
    return this.#hasSent || this.#next !== undefined;
  }

  /**
   * Whether a commit waits for what it consists of to be stored, before it tells as whom it is made: state of all
   * partitions is among that.
   */
  get isTakingStock(): boolean {
    return this.#isTakingStock;
  }

  send(message: OutgoingMessage, done: Published): void {
    if (this.#broken) return done(refusalBy(this.#broken), undefined);
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

  /**
   * Ends the open transaction; what is sent from here on is of the next.
   *
   * @param membersOf as whom it is committed, asked when all of it is stored
   * @throws BusError what made it fail, after which nothing can be committed any more
   */
  async commit(content: TransactionContent, membersOf: () => readonly MemberOffsets[]): Promise<void> {
    this.#requireWhole();
    this.#next = [];
    this.#hasSent = false;
    try {
      const { producer, members } = await this.#stockTaken(membersOf);
      if (members.length > 0 || content.hasSent) await producer.commit(members);
      this.#requireWhole();
      content.committed();
    } catch (error) {
      this.#broken ??= asBusError(error);
      throw this.#broken;
    }
    const next = this.#next;
    this.#next = undefined;
    for (const { message, done } of next) this.send(message, done);
  }

  /** Once all that was sent is stored: by whom it is committed, and as whom. */
  async #stockTaken(
    membersOf: () => readonly MemberOffsets[],
  ): Promise<{ readonly producer: DriverTransactions; readonly members: readonly MemberOffsets[] }> {
    const { sender, producer: opening } = this.#working();
    this.#isTakingStock = true;
    try {
      await sender.idle();
      const producer = await opening;
      this.#requireWhole();
      return { producer, members: membersOf() };
    } finally {
      this.#isTakingStock = false;
    }
  }

  /** What is open can no longer be committed. */
  break(why: BusError): void {
    if (this.#broken) return;
    this.#broken = why;
    this.#host.broke(why);
  }

  /**
   * Nothing of it is to be committed any more, and nobody has to be told.
   *
   * @returns what its producer leaves to the next; undefined where there was none
   */
  giveUp(why: BusError): Promise<readonly EndedTransaction[] | undefined> {
    this.#broken ??= why;
    this.#dropped ??= this.#drop(why);
    return this.#dropped;
  }

  async #drop(why: BusError): Promise<readonly EndedTransaction[] | undefined> {
    const next = this.#next ?? [];
    this.#next = undefined;
    for (const { done } of next) done(why, undefined);
    if (this.#work === undefined) return undefined;
    await this.#work.sender.abandon(abandonMs);
    const producer = await this.#work.producer.catch(() => undefined);
    // What cannot be said to the brokers they find out in their time.
    await producer?.close().catch(() => undefined);
    return producer?.left;
  }

  #working(): Work {
    if (this.#work) return this.#work;
    const producer = this.#host.openProducer();
    // Whoever needs it is told.
    producer.catch(() => undefined);
    this.#work = { producer, sender: this.#host.newSender(producer) };
    return this.#work;
  }

  #requireWhole(): void {
    if (this.#broken) throw this.#broken;
  }
}

/** What is refused because all of it is may be sent again, in the next transaction. */
function refusalBy(why: BusError): BusError {
  return why.code === 'unavailable' ? why : new BusError('unavailable', why.message, { cause: why });
}
