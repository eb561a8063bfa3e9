import type { Bytes, Message } from '../../core/message.ts';
import { costOf } from './message-cost.ts';
import { PayloadRoom } from './payload-room.ts';
import type { Ledger, PartitionStore, Storage } from './storage.ts';

/** A partition as an array of messages, whose emptied head is cut off now and then. */
class MemoryPartition implements PartitionStore {
  readonly #payloads = new PayloadRoom();
  #messages: Message[] = [];
  #start = 0;
  nextOffset = 0;
  bytes = 0;

  get firstOffset(): number {
    return this.#messages[this.#start]?.offset ?? this.nextOffset;
  }

  hold(payload: Bytes): Bytes {
    return this.#payloads.take(payload);
  }

  append(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#messages.push(message);
      this.bytes += costOf(message);
      this.nextOffset = message.offset + 1;
    }
  }

  read(from: number, max: number): readonly Message[] {
    const start = this.#indexOf(from);
    return this.#messages.slice(start, start + max);
  }

  offsetAtTime(logTime: number): number {
    for (let i = this.#start; i < this.#messages.length; i++) {
      const message = this.#messages[i];
      if (message && message.logTime >= logTime) return message.offset;
    }
    return this.nextOffset;
  }

  dropBefore(offset: number): void {
    const end = this.#indexOf(offset);
    for (let i = this.#start; i < end; i++) {
      const message = this.#messages[i];
      if (message) this.bytes -= costOf(message);
    }
    this.#start = end;
    if (this.#start > 1024 && this.#start * 2 > this.#messages.length) this.#cut();
  }

  compact(below: number): void {
    const end = this.#indexOf(below);
    const newest = new Map<string | null, number>();
    for (let i = this.#start; i < end; i++) {
      const message = this.#messages[i];
      if (message) newest.set(message.key, message.offset);
    }
    const kept = this.#messages.filter(
      (message, i) => i >= this.#start && (i >= end || newest.get(message.key) === message.offset),
    );
    this.#messages = kept;
    this.#start = 0;
    this.bytes = kept.reduce((sum, message) => sum + costOf(message), 0);
  }

  close(): void {
    // What a stopped bus held is there again when it is started again.
  }

  /** Where the first message at or after the offset stands; offsets may have gaps after compaction. */
  #indexOf(offset: number): number {
    const first = this.#messages[this.#start];
    if (first === undefined || offset <= first.offset) return this.#start;
    const guess = this.#start + (offset - first.offset);
    if (
      guess >= this.#messages.length ? offset >= this.nextOffset : this.#messages[guess]?.offset === offset
    ) {
      return Math.min(guess, this.#messages.length);
    }
    let [low, high] = [this.#start, this.#messages.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#messages[middle] as Message).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #cut(): void {
    this.#messages = this.#messages.slice(this.#start);
    this.#start = 0;
  }
}

/** A ledger that ends with the process. */
class MemoryLedger implements Ledger {
  readonly #values = new Map<string, string>();

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  names(): readonly string[] {
    return [...this.#values.keys()];
  }

  flush(): void {
    // Nothing outlives the process.
  }
}

/** Everything in memory: no disk, nothing left behind. */
export class MemoryStorage implements Storage {
  readonly durable = false;
  readonly ledger: Ledger = new MemoryLedger();
  readonly #partitions = new Map<string, MemoryPartition>();

  open(): void {
    // Memory is always open.
  }

  close(): void {
    // As is every partition.
  }

  partition(topic: string, partition: number): PartitionStore {
    const name = `${topic}/${partition}`;
    const existing = this.#partitions.get(name);
    if (existing) return existing;
    const created = new MemoryPartition();
    this.#partitions.set(name, created);
    return created;
  }

  deleteTopic(topic: string): void {
    for (const name of [...this.#partitions.keys()]) {
      if (name.startsWith(`${topic}/`)) this.#partitions.delete(name);
    }
  }
}
