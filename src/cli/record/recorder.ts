import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
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
    topics: readonly Topic<unknown>[],
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

  /** Writes what is left; what could not be written then stays among the problems. */
  close(): void {
    this.#timer.unsubscribe();
    for (const file of this.#files) file.close();
  }
}

class TopicFile {
  readonly #path: string;
  readonly #file: number;
  readonly #topic: Topic<unknown>;
  readonly #subscription: Subscription;
  #lines: string[] = [];
  #bytes = 0;
  /** What a write that failed has left of earlier lines. */
  #rest = Buffer.alloc(0);
  #unwritten: Delivery<Bytes>[] = [];
  problem: string | undefined;

  constructor(bus: EventBus, topic: Topic<unknown>, path: string) {
    this.#path = path;
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
    for (const delivery of written) delivery[settlement].ack();
  }

  close(): void {
    this.flush();
    if (this.#unwritten.length > 0)
      this.problem = `${this.#path} lacks the last ${this.#unwritten.length} messages or more: free some room, and record again`;
    this.#subscription.unsubscribe();
    closeSync(this.#file);
  }
}
