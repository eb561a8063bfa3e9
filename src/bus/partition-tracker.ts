import { type SchedulerLike, Subscription } from 'rxjs';
import type { Message } from '../core/message.ts';
import { type Due, type DutyHost, SourceDuty } from './source-duty.ts';

/** What is acked without having been dropped, and, counted on from there, what operators dropped, by their places. */
const state = { inFlight: 1, parked: 2, acked: 3 } as const;
/** Operators of which it is told apart what they dropped; what others did counts as acked. */
const maxDroppers = 200;

/** Of what an operator dropped, how many messages wait for an unsettled one before them. */
interface Dropper {
  readonly name: string;
  count: number;
}

/** What a tracker tells the consumer whose partition it watches. */
export interface TrackerHost {
  /** A delivery is no longer in flight: its credit is free again. */
  released(message: Message): void;
  /** Something waits in {@link PartitionTracker.nextRedelivery}. */
  redeliverable(): void;
  /** The contiguous prefix of acked messages has grown. */
  advanced(tracker: PartitionTracker): void;
  readonly scheduler: SchedulerLike;
}

/** Messages of one key that wait, in order, until the first of them has been redelivered and acked. */
interface ParkedKey {
  readonly queue: number[];
}

/**
 * Settlement of one partition as seen by one consumer: which messages are in flight, how far the contiguous
 * prefix of acks reaches, and which messages wait to be delivered again. A ring of slots in order of delivery,
 * so that a gap in the offsets (compaction, transactions) does not matter.
 *
 * A nacked message comes again from here, not from the log: its key's successors wait behind it, those
 * already in flight are taken back, and other keys flow on.
 */
export class PartitionTracker implements DutyHost {
  readonly topic: string;
  readonly partition: number;
  readonly #host: TrackerHost;
  readonly #timers = new Subscription();
  readonly #parked = new Map<string, ParkedKey>();
  readonly #ready: number[] = [];
  #messages: (Message | undefined)[] = new Array<undefined>(64);
  #attempts = new Uint32Array(64);
  #states = new Uint8Array(64);
  #mask = 63;
  #head = 0;
  #tail = 0;
  #prefix: number;
  #revoked = false;
  /** Of deliveries in flight, those whose holder asked to be told. */
  readonly #controllers = new Map<number, AbortController>();
  readonly #droppers: Dropper[] = [];
  inFlight = 0;
  inFlightBytes = 0;

  constructor(host: TrackerHost, topic: string, partition: number, start: number) {
    this.#host = host;
    this.topic = topic;
    this.partition = partition;
    this.#prefix = start;
  }

  /** The offset up to which, exclusive, everything is acked. */
  get prefix(): number {
    return this.#prefix;
  }

  /** Messages taken and not yet part of the contiguous prefix. */
  get spread(): number {
    return this.#tail - this.#head;
  }

  /** How many of them were dropped by these operators. */
  dropped(by: ReadonlySet<string>): number {
    return this.#droppers.reduce((sum, { name, count }) => (by.has(name) ? sum + count : sum), 0);
  }

  /** The oldest message that holds the prefix back. */
  get oldest(): Message | undefined {
    return this.#head === this.#tail ? undefined : this.#messages[this.#head & this.#mask];
  }

  /** Takes the next message of the partition; undefined when it must wait behind an earlier one of its key. */
  take(message: Message): Due | undefined {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const sequence = this.#tail++;
    this.#messages[sequence & this.#mask] = message;
    this.#attempts[sequence & this.#mask] = 0;
    const parked = message.key !== null && this.#parked.size > 0 ? this.#parked.get(message.key) : undefined;
    if (parked === undefined) return this.#start(sequence, message);
    parked.queue.push(sequence);
    this.#set(sequence, state.parked);
    return undefined;
  }

  /** The next message whose time to come again has arrived. */
  nextRedelivery(): Due | undefined {
    for (;;) {
      const sequence = this.#ready.shift();
      if (sequence === undefined) return undefined;
      const message = this.#messages[sequence & this.#mask];
      if (message === undefined || !this.#isNext(sequence, message)) continue;
      return this.#start(sequence, message);
    }
  }

  /** Gives the partition up: deliveries in flight can no longer be settled, and are told so. */
  revoke(): void {
    this.#revoked = true;
    this.#timers.unsubscribe();
    for (const controller of this.#controllers.values()) controller.abort();
    this.#controllers.clear();
    this.#head = this.#tail;
    this.#droppers.length = 0;
    this.#parked.clear();
    this.#ready.length = 0;
  }

  isTakenBack(sequence: number, attempt: number): boolean {
    return this.#revoked || sequence < this.#head || this.#attempts[sequence & this.#mask] !== attempt;
  }

  isOut(sequence: number, attempt: number): boolean {
    return !this.isTakenBack(sequence, attempt) && this.#states[sequence & this.#mask] === state.inFlight;
  }

  signalOf(sequence: number, attempt: number): AbortSignal {
    if (this.isTakenBack(sequence, attempt)) return AbortSignal.abort();
    const controller = this.#controllers.get(sequence) ?? new AbortController();
    this.#controllers.set(sequence, controller);
    return controller.signal;
  }

  ack(sequence: number, droppedBy?: string): void {
    const message = this.#settling(sequence);
    if (message === undefined) return;
    // At the head of the line what was dropped waits for nobody.
    const waits = droppedBy !== undefined && sequence !== this.#head;
    this.#set(sequence, waits ? this.#droppedBy(droppedBy) : state.acked);
    if (this.#parked.size > 0) this.#unparkNext(sequence, message);
    if (sequence === this.#head) this.#advance();
    this.#release(message);
  }

  nack(sequence: number, delayMs: number): void {
    const message = this.#settling(sequence);
    if (message !== undefined) this.#nack(sequence, message, delayMs);
  }

  /** The message of a delivery that nobody has to be told about any more. */
  #settling(sequence: number): Message | undefined {
    if (this.#controllers.size > 0) this.#controllers.delete(sequence);
    return this.#messages[sequence & this.#mask];
  }

  #start(sequence: number, message: Message): SourceDuty {
    const attempt = (this.#attempts[sequence & this.#mask] ?? 0) + 1;
    this.#attempts[sequence & this.#mask] = attempt;
    this.#set(sequence, state.inFlight);
    this.inFlight++;
    this.inFlightBytes += message.payload?.length ?? 0;
    return new SourceDuty(this, sequence, attempt, message);
  }

  #release(message: Message): void {
    this.inFlight--;
    this.inFlightBytes -= message.payload?.length ?? 0;
    this.#host.released(message);
  }

  /** The state of one more message that this operator dropped. */
  #droppedBy(name: string): number {
    let place = this.#droppers.findIndex(dropper => dropper.name === name);
    if (place < 0 && this.#droppers.length < maxDroppers) {
      place = this.#droppers.push({ name, count: 0 }) - 1;
    }
    const dropper = this.#droppers[place];
    if (dropper) dropper.count++;
    return state.acked + 1 + place;
  }

  #set(sequence: number, next: number): void {
    this.#states[sequence & this.#mask] = next;
  }

  #advance(): void {
    while (this.#head < this.#tail) {
      const at = this.#head & this.#mask;
      const message = this.#messages[at];
      const slot = this.#states[at] ?? 0;
      if (message === undefined || slot < state.acked) break;
      const dropper = slot > state.acked ? this.#droppers[slot - state.acked - 1] : undefined;
      if (dropper) dropper.count--;
      this.#prefix = message.offset + 1;
      this.#messages[at] = undefined;
      this.#head++;
    }
    this.#host.advanced(this);
  }

  #nack(sequence: number, message: Message, delayMs: number): void {
    const key = parkingKey(message, sequence);
    this.#set(sequence, state.parked);
    if (this.#parked.get(key)?.queue[0] !== sequence) this.#park(key, sequence, message);
    this.#release(message);
    const attempt = this.#attempts[sequence & this.#mask];
    const again = (): void => {
      // By then an earlier message of its key may have come between, and brought it along.
      if (this.#attempts[sequence & this.#mask] !== attempt || !this.#isNext(sequence, message)) return;
      this.#ready.push(sequence);
      this.#host.redeliverable();
    };
    this.#timers.add(this.#host.scheduler.schedule(again, delayMs));
  }

  /** Whether a message that waits is the first of its key to do so. */
  #isNext(sequence: number, message: Message): boolean {
    const parked = this.#parked.get(parkingKey(message, sequence));
    return this.#states[sequence & this.#mask] === state.parked && parked?.queue[0] === sequence;
  }

  /**
   * Parks a key behind a message; its successors that are already in flight are taken back, and those that were
   * parked behind one of them stay in their order.
   */
  #park(key: string, first: number, { key: messageKey }: Message): void {
    const queue = [first];
    const takenBack: Message[] = [];
    for (let sequence = first + 1; messageKey !== null && sequence < this.#tail; sequence++) {
      const at = sequence & this.#mask;
      const message = this.#messages[at];
      const slot = this.#states[at] ?? 0;
      if (message?.key !== messageKey || slot >= state.acked) continue;
      if (slot === state.inFlight) {
        this.#takeBack(sequence);
        this.#set(sequence, state.parked);
        takenBack.push(message);
      }
      queue.push(sequence);
    }
    this.#parked.set(key, { queue });
    // Only now: whoever hears of free credit may take the key's next message at once.
    for (const message of takenBack) this.#release(message);
  }

  #unparkNext(sequence: number, message: Message): void {
    const key = parkingKey(message, sequence);
    const parked = this.#parked.get(key);
    if (parked?.queue[0] !== sequence) return;
    const next = parked.queue[1];
    parked.queue.shift();
    if (next === undefined) {
      this.#parked.delete(key);
    } else {
      this.#ready.push(next);
      this.#host.redeliverable();
    }
  }

  #takeBack(sequence: number): void {
    const at = sequence & this.#mask;
    // The next attempt has another number, so the holder of this one has lost it.
    this.#attempts[at] = (this.#attempts[at] ?? 0) + 1;
    this.#controllers.get(sequence)?.abort();
    this.#controllers.delete(sequence);
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const messages = new Array<Message | undefined>(size);
    const attempts = new Uint32Array(size);
    const states = new Uint8Array(size);
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const [from, to] = [sequence & this.#mask, sequence & (size - 1)];
      messages[to] = this.#messages[from];
      attempts[to] = this.#attempts[from] ?? 0;
      states[to] = this.#states[from] ?? 0;
    }
    [this.#messages, this.#attempts, this.#states, this.#mask] = [messages, attempts, states, size - 1];
  }
}

/** Without a key a message blocks nobody: it parks alone. */
function parkingKey(message: Message, sequence: number): string {
  return message.key ?? `\u0000${sequence}`;
}
