import { type Observable, type SchedulerLike, Subject, Subscription } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import { Marker, markerMessage, markerOf } from '../core/marker.ts';
import type { Message } from '../core/message.ts';
import type { Publisher } from '../core/publisher.ts';
import { Queue } from '../core/queue.ts';
import { PartitionMap } from './partition-map.ts';
import type { MarkRecord } from './snapshot-format.ts';

interface PartitionMarks {
  /** Markers that were delivered, behind which something is not settled yet. */
  readonly pending: Queue<{ readonly offset: number; readonly marker: Marker }>;
  passed: Marker | undefined;
  /** The offset of the passed marker. */
  passedAt: number;
}

export interface WatermarkOptions {
  /** Topics to write markers to; may grow. */
  readonly outputs: ReadonlySet<string>;
  /** How far behind the input's, ms of event time; `false`: write none. */
  readonly delayMs: number | false;
  readonly scheduler: SchedulerLike;
}

const retryMs = 1_000;

/**
 * The watermark of a pipeline: a partition's moves on when everything up to its marker is settled, so that the
 * outputs up to there are stored; the pipeline's is the least over its partitions. Each move is written as a
 * marker to every partition of the topics that it publishes to. A partition's last marker must come again after
 * a restart for as long as nothing that was written covers it: else the one after the last of a feed would be
 * waited for.
 */
export class Watermarks {
  readonly #publisher: Publisher;
  readonly #options: WatermarkOptions;
  readonly #partitions = new PartitionMap<PartitionMarks>();
  /** Partitions with a passed marker that nothing written covers yet. */
  readonly #held = new Set<PartitionMarks>();
  readonly #timers = new Subscription();
  readonly #stored$ = new Subject<undefined>();
  #restored: Readonly<Record<string, MarkRecord>> = {};
  #passed: Marker | undefined;

  constructor(publisher: Publisher, options: WatermarkOptions) {
    this.#publisher = publisher;
    this.#options = options;
  }

  /** Up to where everything is done, ms of event time; undefined before the first marker of every partition. */
  get current(): number | undefined {
    return this.#passed?.time;
  }

  /** The last marker that each partition has passed, for the snapshot; by `topic/partition`. */
  get marks(): Readonly<Record<string, MarkRecord>> {
    const passed = [...this.#partitions.entries()].flatMap(([name, { passed: marker }]) => {
      if (marker === undefined) return [];
      const { kind, time, feed } = marker;
      return [[name, { kind, time, ...(feed !== undefined && { feed }) }] as const];
    });
    return { ...this.#restored, ...Object.fromEntries(passed) };
  }

  /** A marker has been written everywhere: more may be committed. */
  get stored$(): Observable<undefined> {
    return this.#stored$;
  }

  /** How far a partition may be committed so that its last marker comes again; undefined: without bound. */
  limitOf(topic: string, partition: number): number | undefined {
    const marks = this.#held.size === 0 ? undefined : this.#partitions.get(topic, partition);
    return marks !== undefined && this.#held.has(marks) ? marks.passedAt : undefined;
  }

  /** Takes what a snapshot holds as what partitions have passed. */
  restore(marks: Readonly<Record<string, MarkRecord>>): void {
    this.#restored = marks;
  }

  assign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const mark = this.#restored[`${topic}/${partition}`];
      const passed = mark && new Marker(mark.kind, mark.time, mark.feed);
      this.#partitions.set(topic, partition, { pending: new Queue(), passed, passedAt: 0 });
    }
    this.#advance();
  }

  revoke({ topic, partition }: TopicPartition): void {
    const marks = this.#partitions.get(topic, partition);
    if (marks !== undefined) this.#held.delete(marks);
    this.#partitions.delete(topic, partition);
  }

  stop(): void {
    this.#timers.unsubscribe();
  }

  /** Looks at a message that is about to be delivered. */
  see(message: Message): void {
    if (message.payload !== null) return;
    const marker = markerOf(message);
    if (marker === undefined) return;
    const marks = this.#partitions.get(message.topic, message.partition);
    marks?.pending.push({ offset: message.offset, marker });
  }

  /** Everything before the offset is settled. */
  settled(topic: string, partition: number, offset: number): void {
    const marks = this.#partitions.get(topic, partition);
    if (marks === undefined || marks.pending.size === 0) return;
    let moved = false;
    for (let first = marks.pending.peek(); first !== undefined && first.offset < offset;) {
      marks.passed = first.marker;
      marks.passedAt = first.offset;
      if (this.#options.delayMs !== false) this.#held.add(marks);
      moved = true;
      marks.pending.shift();
      first = marks.pending.peek();
    }
    if (moved) this.#advance();
  }

  #advance(): void {
    const least = this.#least();
    if (least === undefined || isSame(least, this.#passed)) return;
    this.#passed = least;
    if (this.#options.delayMs !== false) this.#forward(least, this.#options.delayMs);
  }

  #least(): Marker | undefined {
    let least: Marker | undefined;
    for (const { passed } of this.#partitions.values()) {
      if (passed === undefined) return undefined;
      if (least === undefined || passed.watermark < least.watermark) least = passed;
      // One partition that merely ended says more than one that carries nothing.
      else if (least.kind === 'absent' && passed.kind === 'end') least = passed;
    }
    return least;
  }

  #forward(least: Marker, delayMs: number): void {
    const { kind, time, feed } = least;
    const marker = new Marker(kind, kind === 'time' ? time - delayMs : time, feed);
    const places = [...this.#options.outputs].flatMap(topic =>
      Array.from({ length: this.#publisher.partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
    );
    let missing = places.length;
    let isLost = false;
    if (missing === 0) this.#written(least);
    for (const { topic, partition } of places) {
      this.#publisher.send(markerMessage(topic, partition, marker), error => {
        isLost ||= error !== undefined;
        if (--missing > 0) return;
        if (isLost) this.#again(least, delayMs);
        else this.#written(least);
      });
    }
  }

  /** A marker that is lost is made good by the next one, but the last one of a feed has none. */
  #again(least: Marker, delayMs: number): void {
    const again = (): void => {
      if (least === this.#passed) this.#forward(least, delayMs);
    };
    this.#timers.add(this.#options.scheduler.schedule(again, retryMs));
  }

  #written(least: Marker): void {
    if (least !== this.#passed) return;
    for (const marks of this.#held) {
      if (marks.passed === undefined || isCovered(marks.passed, least)) this.#held.delete(marks);
    }
    this.#stored$.next(undefined);
  }
}

function isSame(a: Marker, b: Marker | undefined): boolean {
  return b !== undefined && a.kind === b.kind && a.time === b.time;
}

function isCovered(marker: Marker, by: Marker): boolean {
  if (by.watermark !== marker.watermark) return by.watermark > marker.watermark;
  return marker.kind === by.kind || marker.kind === 'absent';
}
