import type { FetchedPartition, StoredRecord, WireRecord } from '../../../../src/bus/kafka/driver.ts';
import type { TopicPartition } from '../../../../src/bus/event-bus.ts';

/** A transaction as the partitions see it that it has written to. */
export interface ModelTransaction {
  outcome: 'open' | 'committed' | 'aborted';
}

/** A record, or the mark of how a transaction has ended. */
interface Entry {
  readonly record: WireRecord | undefined;
  readonly transaction: ModelTransaction | undefined;
  readonly timestamp: number;
}

/** One partition. */
export class ModelLog {
  readonly #entries: Entry[] = [];

  get next(): number {
    return this.#entries.length;
  }

  append(records: readonly WireRecord[], timestamp: number, transaction?: ModelTransaction): number {
    const first = this.next;
    for (const record of records) this.#entries.push({ record, transaction, timestamp });
    return first;
  }

  /** Marks take an offset, as on real brokers. */
  mark(timestamp: number): void {
    this.#entries.push({ record: undefined, transaction: undefined, timestamp });
  }

  /** Up to where it is decided what counts. */
  get decided(): number {
    const open = this.#entries.findIndex(({ transaction }) => transaction?.outcome === 'open');
    return open < 0 ? this.next : open;
  }

  /** What counts, as far as that is decided. */
  read(place: TopicPartition, from: number): FetchedPartition {
    const end = this.decided;
    const records = this.#entries.slice(0, end).flatMap((entry, offset): StoredRecord[] => {
      const { record, transaction, timestamp } = entry;
      if (record === undefined || offset < from || transaction?.outcome === 'aborted') return [];
      return [{ ...record, offset, timestamp }];
    });
    return { ...place, records, nextOffset: Math.max(from, end), end, undecided: this.next - end };
  }
}
