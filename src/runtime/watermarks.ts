import { type Observable, type SchedulerLike, Subject, Subscription } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import { Marker, type MarkerParts, markerMessage } from '../core/marker.ts';
import type { Message } from '../core/message.ts';
import type { Publisher } from '../core/publisher.ts';
import { Queue } from '../core/queue.ts';
import { MergedMarks, type PartMarks, isSame, leastOf, markerOfRecord, recordOf } from './merged-marks.ts';
import { PartitionMap } from './partition-map.ts';
import type { MarkRecord } from './snapshot-format.ts';

/** A marker behind which something may not be settled yet. */
interface PendingMark {
  readonly offset: number;
  /** Up to where all writers have come by it, where that is further than before. */
  readonly marker: Marker | undefined;
  readonly parts: PartMarks;
}

interface PartitionMarks extends TopicPartition {
  /** As delivered. */
  readonly delivered: MergedMarks;
  readonly pending: Queue<PendingMark>;
  /** As settled. */
  passed: Marker | undefined;
  passedParts: PartMarks;
  /** The offset of the passed marker. */
  passedAt: number;
}

export interface WatermarkOptions {
  /** Topics to write markers to; may grow. */
  readonly outputs: ReadonlySet<string>;
  /** Topics that the pipeline reads, whoever reads which part of them. */
  readonly inputs: ReadonlySet<string>;
  /** How far behind the input's, ms of event time; `false`: write none. */
  readonly delayMs: () => number | false;
  readonly scheduler: SchedulerLike;
}

const retryMs = 1_000;

/**
 * The watermark of a pipeline: a partition's moves on when everything up to its marker is settled, so that the
 * outputs up to there are stored; the pipeline's is the least over its partitions. Each move is written as a
 * marker to every partition of the topics that it publishes to. Where other members have some of the partitions, it
 * says for which it speaks, and those who read it put together what all of them say. A partition's last marker must
 * come again after a restart for as long as nothing that was written covers it: else the one after the last of a feed
 * would be waited for.
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
  #spokenFor: readonly PartitionMarks[] = [];

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
    const passed = [...this.#partitions.entries()].flatMap(([name, { passed: marker, passedParts }]) =>
      marker === undefined ? [] : [[name, recordOf(marker, passedParts)] as const],
    );
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

  /** Takes what snapshots hold as what partitions have passed. */
  restore(marks: Readonly<Record<string, MarkRecord>>): void {
    this.#restored = marks;
  }

  assign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const record = this.#restored[`${topic}/${partition}`];
      const delivered = MergedMarks.restore(record);
      this.#partitions.set(topic, partition, {
        topic,
        partition,
        delivered,
        pending: new Queue(),
        passed: record && markerOfRecord(record),
        passedParts: delivered.parts,
        passedAt: 0,
      });
    }
    this.#advance();
  }

  /** Partitions have gone; those that are left may have come further than what was last said for all of them. */
  revoked(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const marks = this.#partitions.get(topic, partition);
      if (marks !== undefined) this.#held.delete(marks);
      this.#partitions.delete(topic, partition);
    }
    if (!this.#timers.closed) this.#advance();
  }

  stop(): void {
    this.#timers.unsubscribe();
  }

  /**
   * Takes a marker that is about to be delivered.
   *
   * @returns up to where all who write to its partition have come, where that is further than before
   */
  see({ topic, partition, offset }: Message, marker: Marker, isAgain: boolean): Marker | undefined {
    const marks = this.#partitions.get(topic, partition);
    if (marks === undefined) return undefined;
    const { delivered } = marks;
    const isFurther = delivered.take(marker);
    const combined = isFurther || isAgain || marker.parts === undefined ? delivered.merged : undefined;
    marks.pending.push({ offset, marker: combined, parts: delivered.parts });
    return combined;
  }

  /** Everything before the offset is settled. */
  settled(topic: string, partition: number, offset: number): void {
    const marks = this.#partitions.get(topic, partition);
    if (marks === undefined || marks.pending.size === 0) return;
    let moved = false;
    for (let first = marks.pending.peek(); first !== undefined && first.offset < offset;) {
      marks.passedParts = first.parts;
      if (first.marker !== undefined) {
        marks.passed = first.marker;
        marks.passedAt = first.offset;
        if (this.#options.delayMs() !== false) this.#held.add(marks);
        moved = true;
      }
      marks.pending.shift();
      first = marks.pending.peek();
    }
    if (moved) this.#advance();
  }

  #advance(): void {
    const mine = this.#partitions.values();
    // Who has them all waits for each of them; who has not speaks for those that it knows of.
    const known = mine.length < this.#partsOf ? mine.filter(({ passed }) => passed !== undefined) : mine;
    const least = leastOf(known.map(({ passed }) => passed));
    if (least === undefined) return;
    if (isSame(least, this.#passed) && isEqual(known, this.#spokenFor)) return;
    this.#passed = least;
    this.#spokenFor = known;
    const delayMs = this.#options.delayMs();
    if (delayMs !== false) this.#forward(least, known, delayMs);
  }

  /** Partitions that the pipeline reads, whoever has them. */
  get #partsOf(): number {
    let parts = 0;
    for (const topic of this.#options.inputs) parts += this.#publisher.partitionsOf(topic);
    return parts;
  }

  /** For which of all partitions these speak, counted through over all topics in the order of their names. */
  #partsFor(partitions: readonly PartitionMarks[]): MarkerParts | undefined {
    const firsts = new Map<string, number>();
    let of = 0;
    for (const topic of [...this.#options.inputs].sort()) {
      firsts.set(topic, of);
      of += this.#publisher.partitionsOf(topic);
    }
    if (partitions.length === of) return undefined;
    return { covered: partitions.map(({ topic, partition }) => (firsts.get(topic) ?? 0) + partition), of };
  }

  #forward(least: Marker, spokenFor: readonly PartitionMarks[], delayMs: number): void {
    const { kind, time, feed } = least;
    const parts = this.#partsFor(spokenFor);
    const marker = new Marker(kind, kind === 'time' ? time - delayMs : time, feed, parts);
    const places = [...this.#options.outputs].flatMap(topic =>
      Array.from({ length: this.#publisher.partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
    );
    let missing = places.length;
    let isLost = false;
    if (missing === 0) this.#written(least, spokenFor);
    for (const { topic, partition } of places) {
      this.#publisher.send(markerMessage(topic, partition, marker), error => {
        isLost ||= error !== undefined;
        if (--missing > 0) return;
        if (isLost) this.#again(least, spokenFor, delayMs);
        else this.#written(least, spokenFor);
      });
    }
  }

  /** A marker that is lost is made good by the next one, but the last one of a feed has none. */
  #again(least: Marker, spokenFor: readonly PartitionMarks[], delayMs: number): void {
    const again = (): void => {
      if (least === this.#passed) this.#forward(least, spokenFor, delayMs);
    };
    this.#timers.add(this.#options.scheduler.schedule(again, retryMs));
  }

  #written(least: Marker, spokenFor: readonly PartitionMarks[]): void {
    if (least !== this.#passed) return;
    for (const marks of this.#held) {
      if (!spokenFor.includes(marks)) continue;
      if (marks.passed === undefined || isCovered(marks.passed, least)) this.#held.delete(marks);
    }
    this.#stored$.next(undefined);
  }
}

function isEqual(a: readonly PartitionMarks[], b: readonly PartitionMarks[]): boolean {
  return a.length === b.length && a.every((marks, i) => marks === b[i]);
}

function isCovered(marker: Marker, by: Marker): boolean {
  if (by.watermark !== marker.watermark) return by.watermark > marker.watermark;
  return marker.kind === by.kind || marker.kind === 'absent';
}
