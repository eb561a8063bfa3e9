import type { Observable } from 'rxjs';
import type { BusError, Publisher } from '../core/publisher.ts';

/**
 * What several messages and the progress of their readers need to become visible together. One transaction follows
 * the other: the first message begins one, `commit` or `abort` ends it.
 *
 * A source that is opened with a session (`SourceOptions.transaction`) commits by it and never by itself: `commit`
 * takes along how far each of its partitions is acked. Such a source stays a member of its group when it is
 * unsubscribed from, for the next one of this session that reads the same; it leaves when the session is closed.
 */
export interface TransactionSession extends Publisher {
  /** After how long the backend aborts what is neither committed nor aborted, ms. */
  readonly timeoutMs: number;
  /**
   * The open transaction can no longer be committed, and why: partitions of which something is in it were given
   * away, another has opened a session of this name, or a message was not stored in time. To be answered with `abort`.
   */
  readonly broken$: Observable<BusError>;
  /** Members of the group come or go, and wait for a commit: the sooner it comes the less is done twice. */
  readonly hurry$: Observable<unknown>;
  /**
   * Up to where, exclusive, each partition of the sources is settled, past what the backend has filtered out: what
   * `commit` takes along if it is called now, and what state has to be stored with.
   */
  settled(): readonly SettledOffset[];
  /**
   * Makes visible what was sent, and commits up to where the sources are acked; what is sent and acked from the call
   * on waits for its end, and is part of the next. To be called when nothing is acked ahead of what is not:
   * everything that was sent for a message must be sent, and what is not acked not yet begun.
   *
   * @throws BusError `fenced` where a member has lost its partitions or another has opened a session of this name;
   *   any other where it is not known, or known not to be committed. Then only `abort` helps
   */
  commit(): Promise<void>;
  /**
   * Nothing that was sent is ever seen, and the sources' progress is that of the last commit. Sources must be opened
   * anew. Resolves when new ones may be.
   */
  abort(): Promise<void>;
  /** Aborts what is open, leaves the groups, and releases everything. */
  close(): Promise<void>;
}

/** How far a source has come in one partition. */
export interface SettledOffset {
  readonly topic: string;
  readonly partition: number;
  /** Everything before it is settled. */
  readonly offset: number;
}

export interface TransactionOptions {
  /**
   * After how long the backend aborts by itself, ms; default 10 000. For so long the death of a process may keep
   * others from reading what was sent after its unfinished transaction.
   */
  readonly timeoutMs?: number;
}

/** For backends on which outputs and consumed offsets can become visible together. */
export interface Transactions {
  /**
   * Opens a session; whoever had one of this id before is fenced, and what it left open is aborted, before the first
   * message is sent or read.
   *
   * @param id names its holder among all that use the cluster
   */
  open(id: string, options?: TransactionOptions): TransactionSession;
}
