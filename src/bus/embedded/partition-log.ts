import { type SchedulerLike, Subscription } from 'rxjs';
import { reasonOf } from '../../core/failure.ts';
import { MessageHeaders } from '../../core/headers.ts';
import {
  type Message,
  type MessageId,
  type OutgoingMessage,
  offset as asOffset,
  partition as asPartition,
} from '../../core/message.ts';
import { BusError, type Receipt } from '../../core/publisher.ts';
import { costOf } from '../message-cost.ts';
import { partitionName } from '../partition-name.ts';
import { type BoundedPartition, Standstill } from './standstill.ts';
import type { PartitionStore } from './storage.ts';

/** How far a reader has come; retention waits for it. */
export interface ReadMark {
  readonly committed: number;
  /** The offset that it takes next. */
  readonly position: number;
  /** Asks the reader to commit what it can: a sender waits for room. */
  press(): void;
}

export interface PartitionLogOptions {
  /** Bytes that the partition may hold. */
  readonly maxBytes: number;
  /** Senders that may wait for room. */
  readonly maxWaiting: number;
  readonly publishTimeoutMs: number;
  /** Keep the newest of each key instead of dropping the oldest; such a partition takes what its keys need. */
  readonly compaction?: boolean;
  /** Told that making room failed. */
  readonly report?: (cause: unknown) => void;
  /** Told that what waits can be taken, by a flush. */
  readonly roomMade?: (log: PartitionLog) => void;
  readonly scheduler: SchedulerLike;
}

/** Told once what became of a message, and which of its batch it was: one callback serves a batch. */
export type Told = (error: BusError | undefined, receipt: Receipt | undefined, place: number) => void;

/** A message on its way into the log. */
export interface Sending {
  readonly message: OutgoingMessage;
  readonly id: MessageId;
  readonly told: Told;
  /** Its position in its batch. */
  readonly place: number;
}

interface Waiting extends Sending {
  readonly timeout: { unsubscribe(): void };
}

/** Room for retries and dead letters beyond the bound, so that a loop through the bus cannot lock. */
const reservedShare = 1.25;
/** How much of a full partition is dropped at once. */
const trimShare = 0.25;

/**
 * One partition: what is being sent waits here for the next flush, and when the partition is full for room.
 * To make room the oldest is dropped, but nothing that a live reader has not committed, of retries and what was sent
 * back nothing while there is no reader, and where there are dead letters nothing at all. Where readers have taken all
 * of it, and wait for more before they let anything go, the bound gives way: by as much as they can take unsettled.
 */
export class PartitionLog implements BoundedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly store: PartitionStore;
  readonly marks: Set<ReadMark> = new Set();
  readonly #options: PartitionLogOptions;
  #pending: Sending[] = [];
  #pendingBytes = 0;
  #waiting: Waiting[] = [];
  #compactedBytes = 0;
  readonly #standstill: Standstill;
  /** What was sent here: `reserved` must not go unread, `lasting` not at all. */
  #holds: 'any' | 'reserved' | 'lasting' = 'any';

  constructor(topic: string, partition: number, store: PartitionStore, options: PartitionLogOptions) {
    this.topic = topic;
    this.partition = partition;
    this.store = store;
    this.#options = options;
    this.#standstill = new Standstill(options.scheduler, this);
  }

  /** Messages and senders that are not stored yet. */
  get backlog(): number {
    return this.#pending.length + this.#waiting.length;
  }

  /** Takes a message to be stored with the next flush, or makes its sender wait for room. */
  send(sending: Sending): void {
    const { message, told, place } = sending;
    if (this.#waiting.length === 0 && this.#hasRoom(message)) this.#accept(sending);
    else if (message.patient === true || this.#waiting.length < this.#options.maxWaiting) this.#wait(sending);
    else told(this.#bufferFull(), undefined, place);
  }

  /** Stores what is pending and tells the senders; true when there is something new to read. */
  flush(): boolean {
    let stored = false;
    // What was stored may be dropped again where nobody reads: that is room for those who wait.
    do {
      if (this.#waiting.length > 0) this.#admit();
      if (!this.#storePending()) return stored;
      stored = true;
    } while (this.#waiting.length > 0);
    return stored;
  }

  /** True when something was stored. */
  #storePending(): boolean {
    if (this.#pending.length === 0) return false;
    const sent = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    const messages = this.#stamp(sent);
    try {
      this.store.append(messages);
    } catch (cause) {
      const error =
        cause instanceof BusError ? cause : new BusError('storage', storageText(this, cause), { cause });
      for (const { told, place } of sent) told(error, undefined, place);
      return false;
    }
    sent.forEach(({ told, place }, i) => told(undefined, messages[i], place));
    return true;
  }

  /** Drops messages logged before the time, except what a live reader still needs. */
  dropOlderThan(logTime: number): void {
    this.store.dropBefore(Math.min(this.store.offsetAtTime(logTime), this.needed));
  }

  /** Drops from the head until at most so many bytes are left, except what a live reader still needs. */
  shrinkTo(bytes: number): void {
    const { firstOffset, nextOffset } = this.store;
    const share = Math.max(0, 1 - bytes / Math.max(1, this.store.bytes));
    const target = firstOffset + Math.ceil((nextOffset - firstOffset) * share);
    this.store.dropBefore(Math.min(target, this.needed));
  }

  get needed(): number {
    let needed = Number.POSITIVE_INFINITY;
    for (const mark of this.marks) needed = Math.min(needed, mark.committed);
    return needed;
  }

  get isExhausted(): boolean {
    return this.marks.size > 0 && [...this.marks].every(({ position }) => position >= this.store.nextOffset);
  }

  /** Retries have room of their own, and dead letters wait for ever. */
  get isAwaited(): boolean {
    return this.#holds === 'any' && this.#waiting[0]?.message.patient === true;
  }

  get held(): number {
    return this.store.bytes + this.#pendingBytes;
  }

  takeMore(): void {
    this.#options.roomMade?.(this);
  }

  /** Refuses everyone who still waits. */
  refuseAll(error: BusError): void {
    this.#standstill.stop();
    const refused = [...this.#pending, ...this.#waiting];
    for (const { timeout } of this.#waiting) timeout.unsubscribe();
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#waiting = [];
    for (const { told, place } of refused) told(error, undefined, place);
  }

  #hasRoom(message: OutgoingMessage): boolean {
    if (this.#options.compaction === true) {
      this.#compactWhenDoubled();
      return true;
    }
    const cost = costOf(message);
    const bound = this.#options.maxBytes * (message.reserved === true ? reservedShare : 1);
    const limit = bound + this.#standstill.bytes;
    if (this.#fits(cost, limit)) return true;
    this.#trim(limit - cost - this.#pendingBytes);
    return this.#fits(cost, limit);
  }

  /** Whether the oldest may go for the newest. */
  get #maySpare(): boolean {
    return this.#holds === 'any' || (this.#holds === 'reserved' && this.marks.size > 0);
  }

  /** Drops the oldest, for what is to come next and more: until at most so many bytes are left. */
  #trim(bytes: number): void {
    if (!this.#maySpare) return;
    const target = Math.max(0, Math.min(bytes, this.#options.maxBytes * (1 - trimShare)));
    let before: number;
    do {
      before = this.store.firstOffset;
      this.#makeRoom(() => this.shrinkTo(target));
      // Messages are not equally large: dropping as many as would do if they were may not do.
    } while (this.store.bytes > target && this.store.firstOffset > before);
  }

  /** Compaction reads everything, so it waits until there is twice as much as it left behind. */
  #compactWhenDoubled(): void {
    if (this.store.bytes < Math.max(this.#options.maxBytes, 2 * this.#compactedBytes)) return;
    this.#makeRoom(() => this.store.compact(this.store.nextOffset));
    this.#compactedBytes = this.store.bytes;
  }

  /** What cannot be dropped now, a disk refusing, is tried again later; the message may fit all the same. */
  #makeRoom(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#options.report?.(cause);
    }
  }

  #fits(cost: number, limit: number): boolean {
    return this.held === 0 || this.held + cost <= limit;
  }

  #accept(sending: Sending): void {
    const { reserved, lasting } = sending.message;
    if (lasting === true) this.#holds = 'lasting';
    else if (reserved === true && this.#holds === 'any') this.#holds = 'reserved';
    this.#pending.push(sending);
    this.#pendingBytes += costOf(sending.message);
  }

  #wait(sending: Sending): void {
    const { scheduler, publishTimeoutMs } = this.#options;
    const giveUp = (): void => {
      this.#waiting = this.#waiting.filter(other => other !== waiting);
      sending.told(this.#timedOut(), undefined, sending.place);
    };
    const patient = sending.message.patient === true;
    const timeout = patient ? Subscription.EMPTY : scheduler.schedule(giveUp, publishTimeoutMs);
    const waiting: Waiting = { ...sending, timeout };
    this.#waiting.push(waiting);
    this.#press();
    if (this.isAwaited) this.#standstill.watch();
  }

  #press(): void {
    for (const mark of this.marks) mark.press();
  }

  #admit(): void {
    let admitted = 0;
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(waiting.message)) break;
      waiting.timeout.unsubscribe();
      this.#accept(waiting);
      admitted++;
    }
    if (admitted === 0) return;
    this.#waiting = this.#waiting.slice(admitted);
    if (this.#waiting.length > 0) this.#press();
  }

  #stamp(sent: readonly Sending[]): Message[] {
    const logTime = this.#options.scheduler.now();
    let next = this.store.nextOffset;
    return sent.map(({ message, id }) => ({
      id,
      topic: this.topic,
      partition: asPartition(this.partition),
      offset: asOffset(next++),
      key: message.key,
      payload: this.store.hold ? this.store.hold(message.payload) : message.payload,
      headers: message.headers ?? MessageHeaders.empty,
      timestamp: message.timestamp ?? logTime,
      logTime,
    }));
  }

  #bufferFull(): BusError {
    const place = partitionName(this.topic, this.partition);
    return new BusError(
      'buffer-full',
      `${place} holds ${this.store.bytes} bytes and ${this.#waiting.length} senders wait: ${this.#remedy}`,
    );
  }

  get #remedy(): string {
    return this.#holds === 'lasting'
      ? 'no dead letter is dropped for another: shorten the retention of the topic, or raise maxPartitionBytes'
      : 'consume faster, or raise maxPartitionBytes';
  }

  #timedOut(): BusError {
    const place = partitionName(this.topic, this.partition);
    return new BusError(
      'publish-timeout',
      `${place} stayed full (${this.store.bytes} bytes) for ${this.#options.publishTimeoutMs} ms: ${this.#remedy} or publishTimeoutMs`,
    );
  }
}

function storageText({ topic, partition }: PartitionLog, cause: unknown): string {
  return `${partitionName(topic, partition)} could not be written (${reasonOf(cause)}): look into the folder and at the disk, then publish again`;
}
