import { type Observable, type OperatorFunction, Subscription, asyncScheduler } from 'rxjs';
import { type Delivery, type Failed, type Ok, fail, settlement, withValue } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import { type Marker, isMarker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { Queue } from '../src/core/queue.ts';
import { stage } from '../src/core/stage.ts';
import { AsOfTable } from './as-of-table.ts';
import type { StageOptions } from './map-values.ts';

export interface JoinAsOfOptions<A, T> extends StageOptions {
  /** Partitions of the table's topic. */
  readonly tablePartitions: number;
  /**
   * `partition`: the table's topic has as many partitions as the stream's, and a key is in the same of both.
   * `broadcast`: every delivery sees the whole table.
   */
  readonly scope: 'partition' | 'broadcast';
  /** As of when a delivery wants its row, ms of event time; default: the message's event time. */
  readonly time?: (value: A, message: Message) => number;
  /** Which row it wants; default: the message's key. */
  readonly key?: (value: A, message: Message) => string;
  /** Event time of a row, ms; default: the message's. */
  readonly rowTime?: (row: T, message: Message) => number;
  readonly rowKey?: (row: T, message: Message) => string;
  /** Whether a delivery needs a row at all; default: all do. One that does not still keeps its place. */
  readonly needed?: (value: A, message: Message) => boolean;
  /** A row of exactly the time asked for is the one: do not wait for the watermark then. Default false. */
  readonly exact?: boolean;
  /**
   * How far behind the stream rows are kept, ms of event time; default 1 h. The stream's markers tell how far it
   * has come; its deliveries, whose keys may be apart in time, only where the table is full and no marker came.
   */
  readonly keepMs?: number;
  /** Rows held before the table's source is paused; default 100 000. */
  readonly maxRows?: number;
  /** Gauges `stream_join_waiting` (deliveries that wait for the table) and `stream_table_rows`; counts late ones. */
  readonly meter?: Meter;
}

/** What a delivery is joined with. */
export interface AsOf<T> {
  /** The newest row at or before the time asked for, where there is one. */
  readonly row: T | undefined;
  /** Set where the feed does not carry the table's topic at all. */
  readonly absent: Marker | undefined;
}

/**
 * Joins each delivery with a table as of its event time: with the newest row at or before that time, never a
 * later one. A delivery waits until the table's watermark says that no such row can come any more; those of
 * its partition wait behind it. Markers of the stream move its progress on and are acked in their turn; the
 * table's deliveries are acked as they come, and held once it has too many rows: its source then pauses.
 *
 * ```
 * table   --x1-----x3--m4-----|
 * stream  -----a2----------b4-|
 * out     ----------a+x1---b+x3|      a2 waits until the table is past 2
 * ```
 *
 * A delivery whose row is no longer kept fails, rather than being joined with a wrong one; if it is older than a
 * marker before it, it is a repetition: counted as late, acked and dropped. Failures of the
 * table's decoding come out with the stream's, so that they are dead-lettered too.
 *
 * @throws OptionError when made, for a bound out of range
 */
export function joinAsOf<A, T, B>(
  table$: Observable<Delivery<T | Marker>>,
  project: (value: A, asOf: AsOf<T>, message: Message) => B,
  options: JoinAsOfOptions<A, T>,
): OperatorFunction<Delivery<A | Marker>, Delivery<B>> {
  const { name = 'joinAsOf', scheduler = asyncScheduler, meter = idleMeter } = options;
  wholeNumber(`${name}.tablePartitions`, options.tablePartitions, 1);
  wholeNumber(`${name}.maxRows`, options.maxRows ?? 100_000, 1);
  wholeNumber(`${name}.keepMs`, options.keepMs ?? 3_600_000, 0);

  return stage(name, subscriber => {
    const refuse = (delivery: Ok<unknown>, error: unknown): Failed =>
      fail(delivery, handleFailure(name, error, delivery[settlement].attempt, scheduler.now()));
    const emit = (delivery: Ok<A>, asOf: AsOf<T>): void => {
      let result: Delivery<B>;
      try {
        result = withValue(delivery, project(delivery.value, asOf, delivery.message));
      } catch (error) {
        result = refuse(delivery, error);
      }
      subscriber.next(result);
    };
    const join = new Join<A, T>(options, emit, (delivery, error) => subscriber.next(refuse(delivery, error)));
    const side = new Subscription();
    side.add(meter.gauge('stream_join_waiting', () => join.waiting, { stage: name }));
    side.add(meter.gauge('stream_table_rows', () => join.rows, { stage: name }));
    side.add(
      table$.subscribe({
        next: delivery => {
          if (delivery.ok) join.addRow(delivery);
          else subscriber.next(delivery);
        },
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    return {
      next: (delivery: Delivery<A | Marker>) => {
        if (delivery.ok) join.accept(delivery);
        else subscriber.next(delivery);
      },
      complete: () => {
        join.whenIdle(() => subscriber.complete());
      },
      teardown: () => side.unsubscribe(),
    };
  });
}

/** The deliveries of one partition that wait, in order, and how far the stream has come there. */
interface Lane<A> {
  readonly queue: Queue<Ok<A | Marker>>;
  /** The latest marker's time. */
  marked: number;
  /** The latest time that a delivery asked for. */
  progress: number;
  /** Its deliveries are being let go: what settles one of them may bring rows, which must not start it again. */
  draining: boolean;
}

/** What a delivery asks the table for. */
interface Question {
  readonly at: number;
  /** Undefined: for nothing. */
  readonly key: string | undefined;
}

class Join<A, T> {
  readonly #options: JoinAsOfOptions<A, T>;
  readonly #emit: (delivery: Ok<A>, asOf: AsOf<T>) => void;
  readonly #refuse: (delivery: Ok<unknown>, error: unknown) => void;
  readonly #tables = new Map<number, AsOfTable<T>>();
  readonly #lanes = new Map<number, Lane<A>>();
  /** Acks of table deliveries that are held back while there are too many rows. */
  readonly #held = new Queue<Ok<unknown>>();
  waiting = 0;
  rows = 0;
  #idle: (() => void) | undefined;

  constructor(
    options: JoinAsOfOptions<A, T>,
    emit: (delivery: Ok<A>, asOf: AsOf<T>) => void,
    refuse: (delivery: Ok<unknown>, error: unknown) => void,
  ) {
    this.#options = options;
    this.#emit = emit;
    this.#refuse = refuse;
  }

  addRow(delivery: Ok<T | Marker>): void {
    const { value, message } = delivery;
    const table = this.#tableOf(message.partition);
    if (isMarker(value)) {
      table.mark(message.partition, value);
      delivery[settlement].ack();
    } else {
      try {
        const { rowTime, rowKey } = this.#options;
        const time = rowTime ? rowTime(value, message) : message.timestamp;
        this.rows += table.add(rowKey ? rowKey(value, message) : (message.key ?? ''), { time, value });
      } catch (error) {
        this.#refuse(delivery, error);
        return;
      }
      this.#ackRow(delivery);
    }
    this.#release(message.partition);
  }

  accept(delivery: Ok<A | Marker>): void {
    const lane = this.#laneOf(delivery.message.partition);
    lane.queue.push(delivery);
    this.waiting++;
    if (lane.queue.size === 1) this.#drain(lane, delivery.message.partition);
  }

  whenIdle(idle: () => void): void {
    this.#idle = idle;
    if (this.waiting === 0) idle();
  }

  #tableOf(partition: number): AsOfTable<T> {
    const broadcast = this.#options.scope === 'broadcast';
    const index = broadcast ? 0 : partition;
    const table = this.#tables.get(index) ?? new AsOfTable<T>(broadcast ? this.#options.tablePartitions : 1);
    this.#tables.set(index, table);
    return table;
  }

  #laneOf(partition: number): Lane<A> {
    const lane = this.#lanes.get(partition) ?? {
      queue: new Queue(),
      marked: Number.NEGATIVE_INFINITY,
      progress: Number.NEGATIVE_INFINITY,
      draining: false,
    };
    this.#lanes.set(partition, lane);
    return lane;
  }

  #release(tablePartition: number): void {
    if (this.waiting === 0) return;
    for (const [partition, lane] of this.#lanes) {
      if (lane.queue.size === 0) continue;
      if (this.#options.scope === 'broadcast' || partition === tablePartition) this.#drain(lane, partition);
    }
  }

  /** Lets go of the partition's deliveries, in order, until one must wait. */
  #drain(lane: Lane<A>, partition: number): void {
    if (lane.draining) return;
    lane.draining = true;
    const table = this.#tableOf(partition);
    for (let delivery = lane.queue.peek(); delivery !== undefined; delivery = lane.queue.peek()) {
      if (!delivery[settlement].revoked && !this.#pass(delivery, lane, table)) break;
      lane.queue.shift();
      this.waiting--;
    }
    lane.draining = false;
    this.#prune(table);
    if (this.waiting === 0) this.#idle?.();
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
      this.#refuse(delivery, error);
      return true;
    }
    const { at, key } = question;
    lane.progress = Math.max(lane.progress, at);
    if (key === undefined) {
      this.#emit(delivery as Ok<A>, { row: undefined, absent: table.absent });
      return true;
    }
    const row = table.find(key, at);
    if (table.watermark < at && !(this.#options.exact === true && row?.time === at)) return false;
    if (row === undefined && table.isForgotten(key, at)) {
      if (at <= lane.marked) this.#dropLate(delivery);
      else this.#refuse(delivery, `its row as of ${at} is no longer kept: raise keepMs`);
      return true;
    }
    this.#emit(delivery as Ok<A>, { row: row?.value, absent: table.absent });
    return true;
  }

  /** Behind a marker of its own partition nothing new comes: what does has been joined before. */
  #dropLate(delivery: Ok<unknown>): void {
    this.#options.meter?.counter('stream_late_total', { stage: this.#options.name ?? 'joinAsOf' }).add();
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

  #prune(table: AsOfTable<T>): void {
    const full = this.rows >= this.#maxRows;
    let progress = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      const byData = full && lane.marked === Number.NEGATIVE_INFINITY;
      progress = Math.min(progress, byData ? lane.progress : lane.marked);
    }
    if (!Number.isFinite(progress)) return;
    this.rows -= table.prune(progress - (this.#options.keepMs ?? 3_600_000), full);
    while (this.#held.size > 0 && this.rows < this.#maxRows) this.#held.shift()?.[settlement].ack();
  }

  #ackRow(delivery: Ok<unknown>): void {
    if (this.rows >= this.#maxRows) this.#held.push(delivery);
    else delivery[settlement].ack();
  }

  get #maxRows(): number {
    return this.#options.maxRows ?? 100_000;
  }
}
