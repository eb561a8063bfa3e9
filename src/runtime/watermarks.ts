import { Marker, markerMessage, markerOf } from '../core/marker.ts';
import type { Message } from '../core/message.ts';
import type { Publisher } from '../core/publisher.ts';
import { Queue } from '../core/queue.ts';

interface PartitionMarks {
  /** Markers that were delivered, behind which something is not settled yet. */
  readonly pending: Queue<{ readonly offset: number; readonly marker: Marker }>;
  passed: Marker | undefined;
}

/**
 * The watermark of a pipeline: a partition's moves on when everything up to its marker is settled, so that the
 * outputs up to there are stored; the pipeline's is the least over its partitions. Each move is written as a
 * marker to every partition of the topics that it publishes to.
 */
export class Watermarks {
  readonly #publisher: Publisher;
  readonly #outputs: ReadonlySet<string>;
  readonly #delayMs: number | false;
  readonly #partitions = new Map<string, PartitionMarks>();
  #passed: Marker | undefined;

  constructor(publisher: Publisher, outputs: ReadonlySet<string>, delayMs: number | false) {
    this.#publisher = publisher;
    this.#outputs = outputs;
    this.#delayMs = delayMs;
  }

  /** Up to where everything is done, ms of event time; undefined before the first marker of every partition. */
  get current(): number | undefined {
    return this.#passed?.time;
  }

  assign(topic: string, partition: number): void {
    this.#partitions.set(`${topic}/${partition}`, { pending: new Queue(), passed: undefined });
  }

  revoke(topic: string, partition: number): void {
    this.#partitions.delete(`${topic}/${partition}`);
  }

  /** Looks at a message that is about to be delivered. */
  see(message: Message): void {
    if (message.payload !== null) return;
    const marker = markerOf(message);
    if (marker === undefined) return;
    this.#partitions
      .get(`${message.topic}/${message.partition}`)
      ?.pending.push({ offset: message.offset, marker });
  }

  /** Everything before the offset is settled. */
  settled(topic: string, partition: number, offset: number): void {
    const marks = this.#partitions.get(`${topic}/${partition}`);
    if (marks === undefined) return;
    let moved = false;
    for (let first = marks.pending.peek(); first !== undefined && first.offset < offset;) {
      marks.passed = first.marker;
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
    if (this.#delayMs !== false) this.#forward(least, this.#delayMs);
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

  #forward({ kind, time, feed }: Marker, delayMs: number): void {
    const marker = new Marker(kind, kind === 'time' ? time - delayMs : time, feed);
    for (const topic of this.#outputs) {
      const partitions = this.#publisher.partitionsOf(topic);
      for (let partition = 0; partition < partitions; partition++) {
        // A marker that is lost is made good by the next one.
        this.#publisher.send(markerMessage(topic, partition, marker), () => undefined);
      }
    }
  }
}

function isSame(a: Marker, b: Marker | undefined): boolean {
  return b !== undefined && a.kind === b.kind && a.time === b.time;
}
