import { type Ok, settlement } from '../src/core/delivery.ts';
import { type Marker, isMarker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { Queue } from '../src/core/queue.ts';
import { AsOfTable } from './as-of-table.ts';
import type { AsOf, JoinAsOfOptions } from './join-options.ts';

/** What a join does to the chain that it stands in. */
export interface JoinHost<A, T> {
  readonly emit: (delivery: Ok<A>, asOf: AsOf<T>) => void;
  readonly refuse: (delivery: Ok<unknown>, error: unknown) => void;
  /** All rows are to come once more, from the first. */
  readonly readAnew: () => void;
}

/** The deliveries of one partition that wait, in order, and how far the stream has come there since it is here. */
interface Lane<A> {
  readonly queue: Queue<Ok<A | Marker>>;
  /** The latest marker's time. */
  marked: number;
  /** The latest time that a delivery asked for. */
  progress: number;
  /** Its deliveries are being let go: what settles one of them may bring rows, which must not start it again. */
  draining: boolean;
  /** Whether rows that it needs may have been let go before it came. */
  mayMiss: boolean;
}

/** What a delivery asks the table for. */
interface Question {
  readonly at: number;
  /** Undefined: for nothing. */
  readonly key: string | undefined;
}

/** The rows of a table and the deliveries that wait for them. */
export class AsOfJoin<A, T> {
  readonly #options: JoinAsOfOptions<A, T>;
  readonly #tablePartitions: number;
  readonly #host: JoinHost<A, T>;
  readonly #isBroadcast: boolean;
  readonly #tables = new Map<number, AsOfTable<T>>();
  readonly #lanes = new Map<number, Lane<A>>();
  /** Acks of table deliveries that are held back while there are too many rows. */
  readonly #withheld = new Queue<Ok<unknown>>();
  /** The partitions of which rows are kept; undefined: all, as nobody has told yet. */
  #wanted: ReadonlySet<number> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: JoinAsOfOptions<A, T>, tablePartitions: number, host: JoinHost<A, T>) {
    this.#options = options;
    this.#tablePartitions = tablePartitions;
    this.#host = host;
    this.#isBroadcast = options.scope === 'broadcast';
  }

  /** Deliveries that wait for the table. */
  get waiting(): number {
    return sum(this.#lanes.values(), ({ queue }) => queue.size);
  }

  /** Rows that are kept. */
  get rows(): number {
    return sum(this.#tables.values(), ({ size }) => size);
  }

  addRow(delivery: Ok<T | Marker>): void {
    const { value, message } = delivery;
    const { partition } = message;
    if (!this.#isBroadcast && this.#wanted?.has(partition) === false) {
      delivery[settlement].ack();
      return;
    }
    const table = this.#tableOf(partition);
    if (isMarker(value)) {
      table.mark(partition, value);
      delivery[settlement].ack();
    } else {
      try {
        const { rowTime, rowKey } = this.#options;
        const time = rowTime ? rowTime(value, message) : message.timestamp;
        table.add(rowKey ? rowKey(value, message) : (message.key ?? ''), { time, value });
      } catch (error) {
        this.#host.refuse(delivery, error);
        return;
      }
      this.#ackRow(delivery);
    }
    this.#release(partition);
  }

  accept(delivery: Ok<A | Marker>): void {
    const { partition } = delivery.message;
    const lane = this.#laneOf(partition);
    lane.queue.push(delivery);
    if (lane.queue.size === 1) this.#drain(lane, partition);
  }

  /** These partitions of the stream are here from now on, and no others. */
  held(partitions: ReadonlySet<number>): void {
    for (const [partition, { queue }] of this.#lanes) {
      if (partitions.has(partition)) continue;
      queue.clear();
      this.#lanes.delete(partition);
    }
    // Given up all at once, they are about to be shared out anew: it is not known yet whose rows are of no more use.
    if (partitions.size > 0) this.#want(partitions);
    this.#idleNow();
  }

  whenIdle(idle: () => void): void {
    this.#idle = idle;
    this.#idleNow();
  }

  #want(partitions: ReadonlySet<number>): void {
    const before = this.#wanted;
    this.#wanted = partitions;
    if (this.#isBroadcast) return;
    for (const partition of this.#tables.keys()) {
      if (!partitions.has(partition)) this.#tables.delete(partition);
    }
    if (before && [...partitions].some(partition => !before.has(partition))) this.#readAnew();
    else this.#ackWithheld();
  }

  #readAnew(): void {
    this.#tables.clear();
    this.#withheld.clear();
    for (const lane of this.#lanes.values()) lane.mayMiss = false;
    this.#host.readAnew();
  }

  #idleNow(): void {
    if (this.#idle && this.waiting === 0) this.#idle();
  }

  #tableOf(partition: number): AsOfTable<T> {
    const index = this.#isBroadcast ? 0 : partition;
    const table = this.#tables.get(index) ?? new AsOfTable<T>(this.#isBroadcast ? this.#tablePartitions : 1);
    this.#tables.set(index, table);
    return table;
  }

  #laneOf(partition: number): Lane<A> {
    const lane = this.#lanes.get(partition) ?? {
      queue: new Queue(),
      marked: Number.NEGATIVE_INFINITY,
      progress: Number.NEGATIVE_INFINITY,
      draining: false,
      mayMiss: this.#tableOf(partition).hasForgotten,
    };
    this.#lanes.set(partition, lane);
    return lane;
  }

  #release(tablePartition: number): void {
    for (const [partition, lane] of this.#lanes) {
      if (lane.queue.size === 0) continue;
      if (this.#isBroadcast || partition === tablePartition) this.#drain(lane, partition);
    }
  }

  /** Lets go of the partition's deliveries, in order, until one must wait. */
  #drain(lane: Lane<A>, partition: number): void {
    if (lane.draining) return;
    lane.draining = true;
    const { queue } = lane;
    for (let delivery = queue.peek(); delivery !== undefined; delivery = queue.peek()) {
      if (!delivery[settlement].revoked && !this.#pass(delivery, lane, this.#tableOf(partition))) break;
      // What settled it may have taken the partition away.
      if (queue.peek() === delivery) queue.shift();
    }
    lane.draining = false;
    this.#prune(partition);
    this.#idleNow();
  }

  /** Emits the delivery unless it must wait; its place in the queue is the caller's. */
  #pass(delivery: Ok<A | Marker>, lane: Lane<A>, table: AsOfTable<T>): boolean {
    const { value, message } = delivery;
    if (isMarker(value)) {
      if (value.kind === 'time') lane.marked = Math.max(lane.marked, value.time);
      delivery[settlement].ack();
      return true;
    }
    let question: Question;
    try {
      question = this.#questionOf(value, message);
    } catch (error) {
      this.#host.refuse(delivery, error);
      return true;
    }
    const { at, key } = question;
    lane.progress = Math.max(lane.progress, at);
    if (key === undefined) {
      this.#host.emit(delivery as Ok<A>, { row: undefined, absent: table.absent });
      return true;
    }
    const row = table.find(key, at);
    if (table.watermark < at && !(this.#options.exact === true && row?.time === at)) return false;
    if (row === undefined && table.isForgotten(key, at)) {
      // Behind a marker of its own partition nothing new comes: what does has been joined before.
      if (at <= lane.marked) this.#dropLate(delivery);
      else if (lane.mayMiss) {
        this.#readAnew();
        // All of it may have come by now.
        return this.#pass(delivery, lane, this.#tableOf(message.partition));
      } else this.#host.refuse(delivery, `its row as of ${at} is no longer kept: raise keepMs`);
      return true;
    }
    this.#host.emit(delivery as Ok<A>, { row: row?.value, absent: table.absent });
    return true;
  }

  #dropLate(delivery: Ok<unknown>): void {
    const { meter, name } = this.#options;
    meter?.counter('stream_late_total', { stage: name ?? 'joinAsOf' }).add();
    delivery[settlement].ack();
  }

  #questionOf(value: A, message: Message): Question {
    const { time, key, needed } = this.#options;
    const isNeeded = needed?.(value, message) !== false;
    return {
      at: time ? time(value, message) : message.timestamp,
      key: !isNeeded ? undefined : key ? key(value, message) : (message.key ?? ''),
    };
  }

  /** Lets go of rows that the stream's partitions, of a table by partition its own, cannot ask for any more. */
  #prune(partition: number): void {
    const full = this.rows >= this.#maxRows;
    const own = this.#lanes.get(partition);
    let progress = Number.POSITIVE_INFINITY;
    for (const lane of this.#isBroadcast ? this.#lanes.values() : own ? [own] : []) {
      const byData = full && lane.marked === Number.NEGATIVE_INFINITY;
      progress = Math.min(progress, byData ? lane.progress : lane.marked);
    }
    if (!Number.isFinite(progress)) return;
    this.#tableOf(partition).prune(progress - (this.#options.keepMs ?? 3_600_000), full);
    this.#ackWithheld();
  }

  #ackRow(delivery: Ok<unknown>): void {
    if (this.rows >= this.#maxRows) this.#withheld.push(delivery);
    else delivery[settlement].ack();
  }

  #ackWithheld(): void {
    while (this.#withheld.size > 0 && this.rows < this.#maxRows) this.#withheld.shift()?.[settlement].ack();
  }

  get #maxRows(): number {
    return this.#options.maxRows ?? 100_000;
  }
}

function sum<T>(all: Iterable<T>, of: (one: T) => number): number {
  let total = 0;
  for (const one of all) total += of(one);
  return total;
}
