import { BusError } from '../core/publisher.ts';
import type { Acceptance } from './acceptance.ts';
import type { SpillEntry } from './spill-entry.ts';
import type { SpillFolder } from './spill-folder.ts';

/** Written, and forced to the disk, at once. */
const batchMessages = 500;
const batchBytes = 1024 * 1024;

export interface BatchWriterOptions {
  readonly folder: SpillFolder;
  /** What senders are told once their message is written. */
  readonly acceptance: Acceptance;
  /** Told after every batch, before its senders are: how many messages, and why they could not be written. */
  readonly onWritten: (messages: number, refusal: BusError | undefined) => void;
}

/** Gathers what is to be spilled in one turn of the event loop and writes it together. */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  #batch: SpillEntry[] = [];
  #bytes = 0;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  /** What is gathered and not written. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#batch.length === 0;
  }

  add(entry: SpillEntry): void {
    this.#batch.push(entry);
    this.#bytes += entry.bytes;
    if (this.#batch.length >= batchMessages || this.#bytes >= batchBytes) this.flush();
    else if (this.#batch.length === 1) queueMicrotask(() => this.flush());
  }

  flush(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    const refusal = this.#write(batch);
    const { acceptance, onWritten } = this.#options;
    onWritten(batch.length, refusal);
    for (const entry of batch) entry.tell(refusal, refusal === undefined ? acceptance : undefined);
  }

  #write(batch: readonly SpillEntry[]): BusError | undefined {
    try {
      this.#options.folder.append(batch);
      return undefined;
    } catch (cause) {
      if (cause instanceof BusError) return cause;
      throw cause;
    }
  }
}
