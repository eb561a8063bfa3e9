import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type SchedulerLike, type Subscription, asyncScheduler, interval } from 'rxjs';
import type { EventBus } from '../../bus/event-bus.ts';
import { type Delivery, settlement } from '../../core/delivery.ts';
import type { Bytes } from '../../core/message.ts';
import { reasonOf } from '../../core/failure.ts';
import type { Topic } from '../../core/topic.ts';
import { CliError } from '../cli-error.ts';
import { recordLine } from './record-line.ts';

const flushBytes = 64 * 1024;
const flushMs = 200;
/** At the end: how often to look for what is still to come, and after how many looks in vain to give up. */
const lookMs = 5;
const looksInVain = 200;

/** A topic, and how its values are read. */
export type Recorded = Pick<Topic<unknown>, 'name' | 'codec'>;

/**
 * Writes every message of some topics as JSON lines, a file a topic named after it, in offset order per
 * partition. A message is done with once its line is written, so a slow disk slows the bus and loses nothing.
 */
export class Recorder {
  readonly #files: readonly TopicFile[];
  readonly #timer: Subscription;

  /** @throws CliError where the folder cannot be written */
  constructor(
    bus: EventBus,
    topics: readonly Recorded[],
    folder: string,
    scheduler: SchedulerLike = asyncScheduler,
  ) {
    try {
      mkdirSync(folder, { recursive: true });
      this.#files = topics.map(topic => new TopicFile(bus, topic, join(folder, `${topic.name}.jsonl`)));
    } catch (error) {
      throw new CliError(2, `--record ${folder}: ${reasonOf(error)}. Name a folder that can be written.`);
    }
    this.#timer = interval(flushMs, scheduler).subscribe(() => {
      for (const file of this.#files) file.flush();
    });
  }

  /** What could not be written, in words. */
  get problems(): readonly string[] {
    return this.#files.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  }

  /** Reads to the ends of the topics and writes what is left; what could not be written stays among the problems. */
  async close(): Promise<void> {
    this.#timer.unsubscribe();
    for (const file of this.#files) await file.close();
  }
}

class TopicFile {
  readonly #path: string;
  readonly #file: number;
  readonly #bus: EventBus;
  readonly #topic: Recorded;
  readonly #subscription: Subscription;
  #lines: string[] = [];
  #bytes = 0;
  /** What a write that failed has left of earlier lines. */
  #rest = Buffer.alloc(0);
  #unwritten: Delivery<Bytes>[] = [];
  /** Behind the last message of each partition that is written. */
  readonly #next: number[] = [];
  problem: string | undefined;

  constructor(bus: EventBus, topic: Recorded, path: string) {
    this.#path = path;
    this.#bus = bus;
    this.#topic = topic;
    this.#file = openSync(path, 'w');
    this.#subscription = bus.source(topic.name).subscribe(delivery => this.#take(delivery));
  }

  #take(delivery: Delivery<Bytes>): void {
    const line = recordLine(this.#topic, delivery.message);
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#unwritten.push(delivery);
    if (this.#bytes >= flushBytes) this.flush();
  }

  /** Writes what has come; what cannot be written stays, and its topic waits. */
  flush(): void {
    if (this.#unwritten.length === 0) return;
    this.#rest = Buffer.concat([this.#rest, Buffer.from(this.#lines.join(''))]);
    this.#lines = [];
    this.#bytes = 0;
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(writeSync(this.#file, this.#rest));
    } catch (error) {
      this.problem = `${this.#path} cannot be written: ${reasonOf(error)}. Free some room; recording goes on then.`;
      return;
    }
    this.problem = undefined;
    const written = this.#unwritten;
    this.#unwritten = [];
    for (const { message } of written) this.#next[message.partition] = message.offset + 1;
    for (const delivery of written) delivery[settlement].ack();
  }

  async close(): Promise<void> {
    const missing = await this.#missing();
    const remedy = this.problem === undefined ? 'record again' : 'free some room, and record again';
    if (missing > 0) this.problem = `${this.#path} lacks the last ${missing} messages: ${remedy}`;
    this.#subscription.unsubscribe();
    closeSync(this.#file);
  }

  /** How many messages could not be written, once everything was tried. */
  async #missing(): Promise<number> {
    const ends = await this.#bus.endOffsets(this.#topic.name);
    const left = (): number => ends.reduce((sum, end, i) => sum + Math.max(0, end - (this.#next[i] ?? 0)), 0);
    let before = Number.POSITIVE_INFINITY;
    for (let inVain = 0; inVain < looksInVain; inVain++) {
      this.flush();
      const now = left();
      if (now === 0 || this.problem !== undefined) return now;
      if (now < before) inVain = 0;
      before = now;
      await wait(lookMs);
    }
    return left();
  }
}
