import type { Subscription } from 'rxjs';
import { Backoff } from '../core/backoff.ts';
import { MessageIds } from '../core/message-ids.ts';
import type { OutgoingMessage } from '../core/message.ts';
import type { Counter } from '../core/meter.ts';
import { BusError, type Publisher } from '../core/publisher.ts';
import type { Acceptance, Accepted } from './acceptance.ts';
import { BatchWriter } from './batch-writer.ts';
import { BlockCipher } from './block-cipher.ts';
import { BlockCodec } from './block-codec.ts';
import { OrderedSender, type SenderHost } from './ordered-sender.ts';
import type { RefusedMessage } from './refused-log.ts';
import { SpillDrain } from './spill-drain.ts';
import { complete, SpillEntry } from './spill-entry.ts';
import { closed, tooLarge, tooMuch, tooOld } from './spill-errors.ts';
import { SpillFolder } from './spill-folder.ts';
import { readSpillKey } from './spill-key.ts';
import type { SpillSettings } from './spill-options.ts';

/** Longer messages cannot be written to the folder. */
const mostMessageBytes = 64 * 1024 ** 2;

/** What waits, and how much of it. */
export interface SpillStatus {
  /** Whether what is published now goes through the folder. */
  readonly isSpilling: boolean;
  /** In memory: on their way to the broker, or waiting for it. */
  readonly buffered: number;
  /** In the folder and not stored at the broker. */
  readonly spilled: number;
  /** What the folder takes on disk, without refused messages. */
  readonly spilledBytes: number;
  /** How long the first of them has waited. */
  readonly oldestAgeMs: number;
}

/** Made by `createSpillingPublisher`, which says what it does. */
export class SpillingPublisher {
  readonly #settings: SpillSettings;
  readonly #folder: SpillFolder;
  readonly #sender: OrderedSender;
  readonly #drain: SpillDrain;
  readonly #writer: BatchWriter;
  readonly #ids = new MessageIds();
  readonly #acceptance: Acceptance;
  readonly #spilledTotal: Counter;
  readonly #refusedTotal: Counter;
  readonly #forgetGauges: readonly (() => void)[];
  /** Why memory could not be written to the folder; that is tried again with the next tick of the watch. */
  #obstacle: BusError | undefined;
  #watch: Subscription | undefined;
  #closing: Promise<void> | undefined;
  #onAnswer: () => void = () => undefined;

  constructor(publisher: Publisher, settings: SpillSettings) {
    const { scheduler, fsync, meter, maxInFlight } = settings;
    const backoff = new Backoff('spill.backoff', settings.backoff);
    this.#settings = settings;
    this.#acceptance = { tag: 'spilled', durable: fsync === 'batch' };
    this.#spilledTotal = meter.counter('stream_spilled_total');
    this.#refusedTotal = meter.counter('stream_spill_refused_total');
    const folder = openFolder(settings);
    const sender = new OrderedSender({
      publisher,
      maxInFlight,
      backoff,
      scheduler,
      host: this.#senderHost(),
    });
    const { report } = settings;
    this.#folder = folder;
    this.#sender = sender;
    this.#writer = new BatchWriter({
      folder,
      acceptance: this.#acceptance,
      onWritten: (messages, refusal) => this.#written(messages, refusal),
    });
    this.#drain = new SpillDrain({
      folder,
      sender,
      scheduler,
      isWriting: () => !this.#writer.isEmpty,
      onFailed: cause => report({ tag: 'failed', cause }),
      onDrained: messages => report({ tag: 'drained', messages }),
    });
    this.#forgetGauges = this.#gauges();
    if (folder.position < folder.nextOffset) this.#begin(folder.position, 'messages of an earlier run wait');
  }

  /**
   * Publishes a message; the promise settles when it is accepted, see {@link Acceptance}.
   *
   * @throws BusError why it was not: `buffer-full` and `storage` may pass, other codes will not
   */
  publish(message: OutgoingMessage): Promise<Acceptance> {
    return new Promise((resolve, reject) => {
      this.send(message, (error, acceptance) => {
        if (acceptance) resolve(acceptance);
        else reject(error ?? closed(this.#settings.dir));
      });
    });
  }

  /** The same with a callback, which may come before `send` returns. Until then the payload must not be changed. */
  send(message: OutgoingMessage, done: Accepted): void {
    const now = this.#settings.scheduler.now();
    const kept = complete(message, now, () => this.#ids.next());
    const entry = new SpillEntry(kept, now, -1, done);
    const refusal = this.#refusal(entry);
    if (refusal !== undefined) entry.tell(refusal, undefined);
    else if (this.#drain.isActive) this.#writer.add(entry);
    else this.#toBroker(entry);
  }

  /** What waits now. */
  status(): SpillStatus {
    const { isActive, messages } = this.#drain;
    return {
      isSpilling: isActive,
      buffered: this.#sender.size,
      spilled: messages,
      spilledBytes: isActive ? this.#folder.bytes : 0,
      oldestAgeMs: this.#oldestAgeMs(),
    };
  }

  /** What was spilled and will never be stored, oldest first; it lies in the folder until somebody deletes `refused/`. */
  refused(): IterableIterator<RefusedMessage> {
    return this.#folder.refusedMessages();
  }

  /**
   * Accepts nothing more, waits up to `spillAfterMs` for the broker's answers, writes what is left to the folder, and
   * gives that back. A second call waits for the first.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Why the message cannot be taken; undefined, with spilling begun where memory is full, where it can. */
  #refusal(entry: SpillEntry): BusError | undefined {
    const { dir, maxBytes } = this.#settings;
    if (this.#closing !== undefined) return closed(dir);
    const most = Math.min(mostMessageBytes, maxBytes);
    if (entry.bytes > most) return tooLarge(entry, most);
    if (!this.#drain.isActive && !this.#hasRoom(entry)) this.#spill('memory is full');
    if (this.#drain.isActive) return this.#limit(entry.bytes);
    return this.#hasRoom(entry) ? undefined : this.#obstacle;
  }

  #toBroker(entry: SpillEntry): void {
    this.#sender.add(entry);
    if (this.#sender.size > 0) this.#watch ??= this.#watchFrom(this.#sender.added);
  }

  #hasRoom({ bytes }: SpillEntry): boolean {
    const { size, bytes: held } = this.#sender;
    const { memoryMessages, memoryBytes } = this.#settings;
    return size === 0 || (size < memoryMessages && held + bytes <= memoryBytes);
  }

  /** Spills once what waits now has waited for `spillAfterMs`. */
  #watchFrom(added: number): Subscription {
    const { scheduler, spillAfterMs } = this.#settings;
    return scheduler.schedule(() => {
      this.#watch = undefined;
      this.#obstacle = undefined;
      if (this.#drain.isActive || this.#sender.size === 0) return;
      const isStale = this.#sender.added - this.#sender.size < added;
      if (!isStale || this.#spill(`waited ${spillAfterMs} ms in memory`) !== undefined)
        this.#watch = this.#watchFrom(this.#sender.added);
    }, spillAfterMs);
  }

  /**
   * Writes what waits in memory to the folder, and has everything go there from now on.
   *
   * @returns why that failed: what waits goes on waiting
   */
  #spill(reason: string): BusError | undefined {
    if (this.#obstacle !== undefined) return this.#obstacle;
    const waiting = this.#sender.untold();
    const obstacle =
      this.#limit(waiting.reduce((sum, { bytes }) => sum + bytes, 0)) ?? this.#tryWrite(waiting);
    this.#obstacle = obstacle;
    if (obstacle !== undefined) {
      this.#settings.report({ tag: 'failed', cause: obstacle });
      return obstacle;
    }
    this.#spilledTotal.add(waiting.length);
    this.#begin(this.#folder.nextOffset, reason);
    for (const entry of waiting) entry.tell(undefined, this.#acceptance);
    return undefined;
  }

  #tryWrite(entries: readonly SpillEntry[]): BusError | undefined {
    try {
      this.#folder.append(entries);
      return undefined;
    } catch (cause) {
      if (cause instanceof BusError) return cause;
      throw cause;
    }
  }

  #begin(from: number, reason: string): void {
    this.#drain.begin(from);
    this.#settings.report({ tag: 'spilling', reason, messages: this.#drain.messages });
  }

  #written(messages: number, refusal: BusError | undefined): void {
    if (refusal === undefined) {
      this.#spilledTotal.add(messages);
      this.#drain.wake();
    } else {
      this.#settings.report({ tag: 'failed', cause: refusal });
      this.#drain.finishIfDone();
    }
  }

  /** Which limit so many bytes more in the folder would pass. */
  #limit(bytes: number): BusError | undefined {
    const { dir, maxBytes, maxAgeMs } = this.#settings;
    const used = this.#folder.bytes + this.#folder.refusedBytes + this.#writer.bytes;
    if (used + bytes > maxBytes) return tooMuch(dir, used, this.#folder.refusedBytes, maxBytes);
    if (maxAgeMs === Infinity) return undefined;
    const ageMs = this.#oldestAgeMs();
    return ageMs > maxAgeMs ? tooOld(dir, ageMs, maxAgeMs) : undefined;
  }

  #oldestAgeMs(): number {
    const oldest = this.#sender.oldest;
    if (!this.#drain.isActive || oldest === undefined) return 0;
    return Math.max(0, this.#settings.scheduler.now() - oldest.time);
  }

  async #close(): Promise<void> {
    this.#writer.flush();
    if (this.#drain.isActive) this.#sender.stop();
    await this.#quiet();
    this.#watch?.unsubscribe();
    this.#sender.stop();
    this.#obstacle = undefined;
    const left = this.#sender.untold();
    const obstacle = left.length > 0 ? this.#spill('the publisher is being closed') : undefined;
    for (const entry of left) entry.tell(obstacle, undefined);
    this.#drain.stop();
    for (const forget of this.#forgetGauges) forget();
    this.#folder.close();
  }

  /** Until every answer that can come soon has come. */
  #quiet(): Promise<void> {
    const { scheduler, spillAfterMs } = this.#settings;
    return new Promise(resolve => {
      const timer = scheduler.schedule(() => resolve(), spillAfterMs);
      this.#onAnswer = () => {
        const { size, inFlight, isHolding } = this.#sender;
        if (this.#drain.isActive || isHolding ? inFlight > 0 : size > 0) return;
        timer.unsubscribe();
        resolve();
      };
      this.#onAnswer();
    });
  }

  #senderHost(): SenderHost {
    return {
      stored: (entry, receipt) => entry.tell(undefined, { tag: 'stored', receipt }),
      refused: (entry, cause) => this.#refusedForGood(entry, cause),
      answered: () => {
        this.#drain.answered();
        this.#onAnswer();
      },
      waiting: (cause, attempt, delayMs) =>
        this.#settings.report({ tag: 'waiting', cause, attempt, delayMs }),
    };
  }

  #refusedForGood(entry: SpillEntry, cause: BusError): void {
    if (!entry.isTold) return entry.tell(cause, undefined);
    this.#folder.setAside(entry, cause);
    return this.#refusedTotal.add();
  }

  #gauges(): readonly (() => void)[] {
    const { meter } = this.#settings;
    return [
      meter.gauge('stream_spilled_messages', () => this.#drain.messages),
      meter.gauge('stream_spilled_bytes', () => this.status().spilledBytes),
      meter.gauge('stream_spill_oldest_age_ms', () => this.#oldestAgeMs()),
      meter.gauge('stream_buffered', () => this.#sender.size, { stage: 'spill' }),
    ];
  }
}

function openFolder({ dir, fsync, segmentBytes, report, encryptionKey }: SpillSettings): SpillFolder {
  const cipher = encryptionKey === undefined ? undefined : new BlockCipher(readSpillKey(encryptionKey));
  return new SpillFolder({ dir, codec: new BlockCodec(cipher), fsync, segmentBytes, report });
}
