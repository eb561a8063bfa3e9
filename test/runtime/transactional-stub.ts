import { Subject, merge } from 'rxjs';
import type { EventBus, PartitionLifecycle, SourceOptions, TopicPartition } from '../../src/bus/event-bus.ts';
import type { SettledOffset, TransactionSession, Transactions } from '../../src/bus/transactions.ts';
import { type OutgoingMessage, messageId, offset, partition } from '../../src/core/message.ts';
import { BusError, type Published } from '../../src/core/publisher.ts';
import { withOwn } from '../with-own.ts';

/** What a test sees, and decides, of the one session of a pipeline. */
export class StubSession implements TransactionSession {
  readonly timeoutMs: number;
  readonly broken$: Subject<BusError> = new Subject();
  readonly hurry$: Subject<undefined> = new Subject();
  /** What was asked of it, in order. */
  readonly log: string[] = [];
  /** Sources commit again. */
  readonly committed$: Subject<undefined> = new Subject();
  /** While it is there commits wait for it. */
  gate: Promise<void> | undefined;
  /** Fails the next commit. */
  failure: BusError | undefined;
  /** What is sent to topics of which it is true is refused, until the abort. */
  refuses: ((topic: string) => boolean) | undefined;
  readonly #bus: EventBus;
  readonly #settled = new Map<string, number>();
  #limits = new Map<string, number>();
  #sent: OutgoingMessage[] = [];

  constructor(bus: EventBus, timeoutMs: number) {
    this.#bus = bus;
    this.timeoutMs = timeoutMs;
  }

  /** Messages of the open transaction. */
  get open(): readonly OutgoingMessage[] {
    return this.#sent;
  }

  partitionsOf(topic: string): number {
    return this.#bus.partitionsOf(topic);
  }

  send(message: OutgoingMessage, done: Published): void {
    if (this.refuses?.(message.topic)) {
      done(new BusError('unavailable', `${message.topic}: not now`), undefined);
      return;
    }
    this.#sent.push(message);
    const { topic, partition: index = 0, id = 'none' } = message;
    done(undefined, { topic, partition: partition(index), offset: offset(0), id: messageId(id) });
  }

  settled(): readonly SettledOffset[] {
    return [...this.#settled].map(([place, upTo]) => {
      const [topic = '', index] = place.split('/');
      return { topic, partition: Number(index), offset: upTo };
    });
  }

  async commit(): Promise<void> {
    const [sent, settled] = [this.#sent, new Map(this.#settled)];
    this.#sent = [];
    this.log.push(`commit ${sent.length}`);
    await this.gate;
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    this.#limits = settled;
    for (const message of sent) {
      this.#bus.send(message, error => {
        if (error) throw error;
      });
    }
    this.committed$.next(undefined);
  }

  abort(): Promise<void> {
    this.log.push(`abort ${this.#sent.length}`);
    this.refuses = undefined;
    this.#sent = [];
    this.#settled.clear();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.log.push('close');
    return Promise.resolve();
  }

  // What the sources tell and ask.

  settledUpTo(topic: string, index: number, upTo: number): void {
    this.#settled.set(`${topic}/${index}`, upTo);
  }

  limitOf({ topic, partition: index }: TopicPartition): number {
    return this.#limits.get(`${topic}/${index}`) ?? 0;
  }
}

/** The bus in memory with transactions whose outcome the test decides: nothing is stored before it is committed. */
export function withTransactions(bus: EventBus): {
  readonly bus: EventBus;
  readonly sessions: StubSession[];
} {
  const sessions: StubSession[] = [];
  const transactions: Transactions = {
    open: (_id, { timeoutMs = 10_000 } = {}) => {
      const session = new StubSession(bus, timeoutMs);
      sessions.push(session);
      return session;
    },
  };
  const source: EventBus['source'] = (topics, options = {}) => bus.source(topics, committedBy(options));
  const capabilities = { ...bus.capabilities, transactions: true };
  const wrapped = withOwn(bus, { transactions, capabilities, source });
  return { bus: wrapped, sessions };
}

function committedBy({ transaction, ...options }: SourceOptions): SourceOptions {
  if (!(transaction instanceof StubSession)) return options;
  const { lifecycle, commit$ } = options;
  if (lifecycle === undefined) throw new Error('a pipeline has a lifecycle');
  const both: PartitionLifecycle = {
    began: unsettled => lifecycle.began?.(unsettled),
    assigned: partitions => lifecycle.assigned(partitions),
    revoked: partitions => lifecycle.revoked(partitions),
    pressed: () => lifecycle.pressed?.(),
    commitLimit: place => transaction.limitOf(place),
    settled: (topic, index, upTo, oldest) => {
      transaction.settledUpTo(topic, index, upTo);
      lifecycle.settled?.(topic, index, upTo, oldest);
    },
  };
  return {
    ...options,
    lifecycle: both,
    commit$: commit$ ? merge(commit$, transaction.committed$) : transaction.committed$,
  };
}
