import { type SchedulerLike, Subscription } from 'rxjs';
import { Backoff, type BackoffOptions } from '../src/core/backoff.ts';
import type { OutgoingMessage } from '../src/core/message.ts';
import type { BusError } from '../src/core/publisher.ts';
import { Queue } from '../src/core/queue.ts';
import type { Settlement } from '../src/core/settlement.ts';
import type { NamedPublisher } from './named-publisher.ts';

/** What became of a message: stored, no longer wanted because its delivery was taken back, or refused for good. */
export type Sending = 'stored' | 'taken-back' | BusError;

interface Entry {
  readonly sequence: number;
  readonly message: OutgoingMessage;
  /** Whose delivery it is for: once that is taken back, nobody waits for the message any more. */
  readonly duty: Settlement;
  readonly done: (sending: Sending) => void;
}

export interface PatientSenderOptions {
  /** The stage that sends, for those who are told that it waits. */
  readonly name: string;
  /** Whether to wait and try again after a refusal; default: where the bus calls it retryable. */
  readonly isPassing?: (refusal: BusError, message: OutgoingMessage) => boolean;
  /** Told when it goes on after a wait. */
  readonly onRelease?: () => void;
  readonly backoff?: BackoffOptions | undefined;
  readonly scheduler: SchedulerLike;
}

/**
 * Sends messages in their order through outages: while the bus refuses what it may take later, everything waits
 * behind what was refused, the oldest is tried again with backoff, and nothing is dropped. What waits is bounded
 * by the credits of the source it comes from.
 */
export class PatientSender {
  readonly #publisher: NamedPublisher;
  readonly #name: string;
  readonly #isPassing: (refusal: BusError, message: OutgoingMessage) => boolean;
  readonly #onRelease: () => void;
  readonly #scheduler: SchedulerLike;
  readonly #backoff: Backoff;
  /** Refused while others were on their way behind them. */
  #refused: Entry[] = [];
  readonly #waiting = new Queue<Entry>();
  #timer = new Subscription();
  #phase: 'open' | 'waiting' | 'probing' | 'flushing' = 'open';
  #sequence = 0;
  #onTheirWay = 0;
  /** Probes in vain since the bus took messages. */
  #attempts = 0;
  #stopped = false;

  constructor(publisher: NamedPublisher, options: PatientSenderOptions) {
    this.#publisher = publisher;
    this.#name = options.name;
    this.#backoff = new Backoff(options.name, options.backoff);
    this.#isPassing = options.isPassing ?? (refusal => refusal.retryable);
    this.#onRelease = options.onRelease ?? (() => undefined);
    this.#scheduler = options.scheduler;
  }

  /** Messages that wait for the bus to take them again. */
  get waiting(): number {
    return this.#refused.length + this.#waiting.size;
  }

  get isHolding(): boolean {
    return this.#phase !== 'open';
  }

  get #isFlushing(): boolean {
    return this.#phase === 'flushing';
  }

  send(message: OutgoingMessage, duty: Settlement, done: (sending: Sending) => void): void {
    const entry = { sequence: this.#sequence++, message, duty, done };
    if (this.#phase === 'open') this.#try(entry);
    else this.#waiting.push(entry);
  }

  /** Forgets what waits; nobody is told of it any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer.unsubscribe();
    this.#refused = [];
    this.#waiting.clear();
  }

  #try(entry: Entry): void {
    this.#onTheirWay++;
    this.#publisher.send(entry.message, refusal => {
      this.#onTheirWay--;
      if (this.#stopped) return;
      if (refusal !== undefined && this.#isPassing(refusal, entry.message)) this.#hold(entry, refusal);
      else this.#ended(entry, refusal ?? 'stored');
    });
  }

  #hold(entry: Entry, refusal: BusError): void {
    this.#refused.push(entry);
    this.#phase = 'waiting';
    this.#publisher.held?.(this.#name, refusal);
    // What is on its way may be refused too, and then goes before what waits.
    if (this.#onTheirWay === 0) this.#tryLater();
  }

  #ended({ done }: Entry, sending: Sending): void {
    // Who is told may send at once, and that may be refused: then it has seen to the next attempt itself.
    const wasWaiting = this.#phase === 'waiting';
    done(sending);
    if (this.#phase === 'probing') this.#flush();
    else if (wasWaiting && this.#onTheirWay === 0) this.#tryLater();
  }

  #tryLater(): void {
    this.#refused.sort((a, b) => a.sequence - b.sequence);
    this.#timer.unsubscribe();
    this.#timer = this.#scheduler.schedule(() => this.#probe(), this.#backoff.delayMs(++this.#attempts));
  }

  /** One message finds out whether the bus takes messages again. */
  #probe(): void {
    const next = this.#next();
    if (next === undefined) return this.#release();
    this.#phase = 'probing';
    return this.#try(next);
  }

  /** Sends what waits until there is nothing left or the bus refuses again. */
  #flush(): void {
    this.#phase = 'flushing';
    while (this.#isFlushing) {
      const next = this.#next();
      if (next === undefined) this.#release();
      else this.#try(next);
    }
  }

  #release(): void {
    this.#phase = 'open';
    this.#attempts = 0;
    this.#publisher.held?.(this.#name, undefined);
    this.#onRelease();
  }

  /** The oldest that somebody still waits for; whose delivery was taken back comes again from its source. */
  #next(): Entry | undefined {
    for (;;) {
      const entry = this.#refused.shift() ?? this.#waiting.shift();
      if (entry === undefined || !entry.duty.revoked) return entry;
      entry.done('taken-back');
    }
  }
}
