import type { Message } from '../../core/message.ts';
import { Queue } from '../../core/queue.ts';
import { MessageRing } from './message-ring.ts';

/** What a message costs in memory beside its payload and key: the object, its id, its view of the payload. */
const overheadBytes = 300;
/** Appends of one partition that follow each other are forgotten together, up to this many messages. */
const maxRun = 64;

/** Messages of one tail that were appended one after the other. */
interface Run {
  readonly tail: PartitionTail;
  readonly epoch: number;
  count: number;
  bytes: number;
}

/** The newest messages of many partitions, bounded over all of them; the oldest are forgotten first. */
export class TailCache {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #runs = new Queue<Run>();
  #last: Run | undefined;
  bytes = 0;
  messages = 0;

  constructor(maxBytes: number, maxMessages: number) {
    this.#maxBytes = maxBytes;
    this.#maxMessages = maxMessages;
  }

  /** The newest messages of one more partition. */
  tail(): PartitionTail {
    return new PartitionTail(this);
  }

  /** For tails: messages were added. */
  added(tail: PartitionTail, count: number, bytes: number): void {
    this.bytes += bytes;
    this.messages += count;
    const last = this.#last;
    if (last?.tail === tail && last.epoch === tail.epoch && last.count + count <= maxRun) {
      last.count += count;
      last.bytes += bytes;
    } else {
      this.#last = { tail, epoch: tail.epoch, count, bytes };
      this.#runs.push(this.#last);
    }
    while (this.bytes > this.#maxBytes || this.messages > this.#maxMessages) this.#forgetOldest();
  }

  /** For tails: messages are gone. */
  removed(count: number, bytes: number): void {
    this.bytes -= bytes;
    this.messages -= count;
  }

  #forgetOldest(): void {
    const run = this.#runs.shift();
    if (run === undefined) return;
    if (run === this.#last) this.#last = undefined;
    if (run.epoch === run.tail.epoch) run.tail.forget(run.count, run.bytes);
  }
}

/** The newest messages of one partition, without gaps in their offsets. */
export class PartitionTail {
  /** Grows when all is forgotten at once: runs from before then are of no account. */
  epoch = 0;
  readonly #cache: TailCache;
  readonly #messages = new MessageRing();
  #bytes = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  add(messages: readonly Message[]): void {
    let bytes = 0;
    for (const message of messages) {
      this.#messages.push(message);
      bytes += overheadBytes + (message.payload?.length ?? 0) + (message.key?.length ?? 0);
    }
    this.#bytes += bytes;
    this.#cache.added(this, messages.length, bytes);
  }

  /** Messages from this offset on; undefined where they are not all here. */
  read(from: number, max: number): readonly Message[] | undefined {
    const first = this.#messages.at(0);
    if (first === undefined || from < first.offset) return undefined;
    const at = from - first.offset;
    return at < this.#messages.length ? this.#messages.slice(at, max) : undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#cache.removed(this.#messages.length, this.#bytes);
    this.epoch++;
    this.#messages.clear();
    this.#bytes = 0;
  }

  /** For the cache: forgets the oldest of them. */
  forget(count: number, bytes: number): void {
    for (let i = 0; i < count; i++) this.#messages.shift();
    this.#bytes -= bytes;
    this.#cache.removed(count, bytes);
  }
}
