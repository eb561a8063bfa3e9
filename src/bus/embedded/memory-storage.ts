import type { Bytes, Message } from '../../core/message.ts';
import { costOf } from '../message-cost.ts';
import { MessageRing } from './message-ring.ts';
import { PayloadRoom } from './payload-room.ts';
import type { Ledger, PartitionStore, Storage } from './storage.ts';

/** A partition as a ring of messages. */
class MemoryPartition implements PartitionStore {
  readonly #payloads = new PayloadRoom();
  readonly #messages = new MessageRing();
  nextOffset = 0;
  bytes = 0;

  get firstOffset(): number {
    return this.#messages.at(0)?.offset ?? this.nextOffset;
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
    return this.#messages.slice(this.#messages.indexOf(from), max);
  }

  offsetAtTime(logTime: number): number {
    for (let i = 0; i < this.#messages.length; i++) {
      const message = this.#messages.at(i);
      if (message && message.logTime >= logTime) return message.offset;
    }
    return this.nextOffset;
  }

  dropBefore(offset: number): void {
    for (let count = this.#messages.indexOf(offset); count > 0; count--) {
      const message = this.#messages.shift();
      if (message) this.bytes -= costOf(message);
    }
  }

  compact(below: number): void {
    const messages = this.#messages.slice(0, this.#messages.length);
    const newest = new Map<string | null, number>();
    for (const { key, offset } of messages) if (offset < below) newest.set(key, offset);
    this.#messages.clear();
    this.bytes = 0;
    for (const message of messages) {
      if (message.offset < below && newest.get(message.key) !== message.offset) continue;
      this.#messages.push(message);
      this.bytes += costOf(message);
    }
  }

  close(): void {
    // What a stopped bus held is there again when it is started again.
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
