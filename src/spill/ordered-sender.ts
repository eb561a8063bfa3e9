import { type SchedulerLike, Subscription } from 'rxjs';
import type { Backoff } from '../core/backoff.ts';
import { BusError, type Publisher, type Receipt } from '../core/publisher.ts';
import { Queue } from '../core/queue.ts';
import type { SpillEntry } from './spill-entry.ts';

/** Told what becomes of entries. */
export interface SenderHost {
  stored(entry: SpillEntry, receipt: Receipt): void;
  /** The broker will never take it. @throws BusError where that cannot be recorded: it is tried again */
  refused(entry: SpillEntry, cause: BusError): void;
  /** After every answer, whatever it was. */
  answered(): void;
  /** The broker takes nothing now and is asked again later. */
  waiting(cause: BusError, attempt: number, delayMs: number): void;
}

export interface OrderedSenderOptions {
  readonly publisher: Publisher;
  readonly maxInFlight: number;
  readonly backoff: Backoff;
  readonly scheduler: SchedulerLike;
  readonly host: SenderHost;
}

/**
 * Sends entries so that no lane is ever out of order: of each lane one is on its way, and the next goes once the
 * broker has it. A refusal that may pass stops everything; then the refused ones, in turn, find out whether the broker
 * is back. So nothing behind a refused message can be stored before it, whatever the broker does with the rest.
 */
export class OrderedSender {
  readonly #options: OrderedSenderOptions;
  /** From the first that is not settled on, in the order in which they came; settled ones may stand between. */
  readonly #window = new Queue<SpillEntry>();
  /** The last entry of each lane that has any. */
  readonly #lanes = new Map<string, SpillEntry>();
  /** At the head of their lane and not on their way: those that were refused before those that were not. */
  readonly #again = new Queue<SpillEntry>();
  readonly #ready = new Queue<SpillEntry>();
  readonly #refused = new Queue<SpillEntry>();
  #phase: 'open' | 'waiting' | 'probing' | 'stopped' = 'open';
  #probe: SpillEntry | undefined;
  #timer = new Subscription();
  #attempt = 0;
  #delayMs: number | undefined;
  #inFlight = 0;
  #bytes = 0;
  #added = 0;
  #pumping = false;

  constructor(options: OrderedSenderOptions) {
    this.#options = options;
  }

  /** Entries from the first that is not settled on: what is held in memory, and may be sent again after a crash. */
  get size(): number {
    return this.#window.size;
  }

  /** What they take on disk, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many have ever been added. */
  get added(): number {
    return this.#added;
  }

  /** Whether the broker refused and is to be asked again. */
  get isHolding(): boolean {
    return this.#phase === 'waiting' || this.#phase === 'probing';
  }

  /** The first that is not settled. */
  get oldest(): SpillEntry | undefined {
    return this.#window.peek();
  }

  add(entry: SpillEntry): void {
    this.#window.push(entry);
    this.#added++;
    this.#bytes += entry.bytes;
    const ahead = entry.lane === null ? undefined : this.#lanes.get(entry.lane);
    if (entry.lane !== null) this.#lanes.set(entry.lane, entry);
    if (ahead === undefined) this.#ready.push(entry);
    else ahead.next = entry;
    this.#pump();
  }

  /** Those whose senders still wait for the word, in order. */
  untold(): SpillEntry[] {
    const found: SpillEntry[] = [];
    for (let left = this.#window.size; left > 0; left--) {
      const entry = this.#window.shift();
      if (entry === undefined) break;
      this.#window.push(entry);
      if (!entry.isTold) found.push(entry);
    }
    return found;
  }

  /** Sends nothing more; what is on its way may still be answered. */
  stop(): void {
    this.#phase = 'stopped';
    this.#timer.unsubscribe();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#phase === 'open' && this.#inFlight < this.#options.maxInFlight) {
      const entry = this.#again.shift() ?? this.#ready.shift();
      if (entry === undefined) break;
      this.#send(entry);
    }
    this.#pumping = false;
  }

  #send(entry: SpillEntry): void {
    entry.phase = 'sending';
    this.#inFlight++;
    try {
      this.#options.publisher.send(entry.message, (error, receipt) => this.#answered(entry, error, receipt));
    } catch (cause) {
      const error =
        cause instanceof BusError
          ? cause
          : new BusError('storage', 'the publisher threw: see the cause', { cause });
      this.#answered(entry, error, undefined);
    }
  }

  #answered(entry: SpillEntry, error: BusError | undefined, receipt: Receipt | undefined): void {
    if (entry.phase !== 'sending') return;
    entry.phase = 'waiting';
    this.#inFlight--;
    const refusal = receipt === undefined ? (error ?? untold()) : undefined;
    const obstacle = refusal === undefined ? undefined : this.#refusal(entry, refusal);
    if (obstacle !== undefined) return this.#hold(entry, obstacle);
    this.#settle(entry);
    if (receipt !== undefined) this.#options.host.stored(entry, receipt);
    if (entry === this.#probe) this.#reopen();
    this.#options.host.answered();
    return this.#pump();
  }

  /** Why the entry must be tried again; undefined where it is done with. */
  #refusal(entry: SpillEntry, refusal: BusError): BusError | undefined {
    if (mayPass(refusal)) return refusal;
    try {
      this.#options.host.refused(entry, refusal);
      return undefined;
    } catch (cause) {
      if (cause instanceof BusError) return cause;
      throw cause;
    }
  }

  #settle(entry: SpillEntry): void {
    entry.phase = 'settled';
    for (let first = this.oldest; first?.phase === 'settled'; first = this.oldest) {
      this.#window.shift();
      this.#bytes -= first.bytes;
    }
    if (entry.next !== undefined) this.#ready.push(entry.next);
    else if (entry.lane !== null) this.#lanes.delete(entry.lane);
  }

  #hold(entry: SpillEntry, cause: BusError): void {
    this.#refused.push(entry);
    const first = this.#phase === 'open';
    if (this.#phase === 'stopped' || (!first && entry !== this.#probe)) return this.#options.host.answered();
    this.#phase = 'waiting';
    this.#probe = undefined;
    const delayMs = this.#options.backoff.delayMs(++this.#attempt, this.#delayMs);
    this.#delayMs = delayMs;
    this.#timer.unsubscribe();
    this.#timer = this.#options.scheduler.schedule(() => this.#ask(), delayMs);
    this.#options.host.waiting(cause, this.#attempt, delayMs);
    return this.#options.host.answered();
  }

  /** In turn one that was refused and one that was not sent yet: a topic that is full must not keep others waiting. */
  #ask(): void {
    const isFresh = this.#attempt % 2 === 0 && this.#ready.size > 0;
    const probe = isFresh ? this.#ready.shift() : this.#refused.shift();
    if (probe === undefined) return;
    this.#phase = 'probing';
    this.#probe = probe;
    this.#send(probe);
  }

  #reopen(): void {
    this.#probe = undefined;
    if (this.#phase === 'stopped') return;
    this.#phase = 'open';
    this.#attempt = 0;
    this.#delayMs = undefined;
    for (let entry = this.#refused.shift(); entry !== undefined; entry = this.#refused.shift())
      this.#again.push(entry);
  }
}

/** A bus that is not started is away; one that was refused for good stays so. */
function mayPass({ retryable, code }: BusError): boolean {
  return retryable || code === 'bus-not-started';
}

function untold(): BusError {
  return new BusError('invalid-message', 'the bus told nothing of the message');
}
