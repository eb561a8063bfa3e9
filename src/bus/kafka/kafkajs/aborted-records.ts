import type { IHeaders } from 'kafkajs';

/** A record as kafkajs's decoder leaves it. */
export interface FetchedRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: IHeaders;
  readonly isControlRecord?: boolean;
  /** Of the batch that it was in; of messages in the oldest format there is none. */
  readonly batchContext?: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
  };
}

/** A transaction that was aborted: whose, and where its records begin. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

const abortMarker = Buffer.from([0, 0, 0, 0]);

/** What was committed, and the control records: those between the start of an aborted transaction and its marker go. */
export function withoutAborted(
  records: readonly FetchedRecord[],
  aborted: readonly AbortedTransaction[],
): readonly FetchedRecord[] {
  if (aborted.length === 0) return records;
  const starts = aborted.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const open = new Set<string>();
  return records.filter(record => {
    const offset = Number(record.offset);
    for (let next = starts[0]; next !== undefined && Number(next.firstOffset) <= offset; next = starts[0]) {
      open.add(next.producerId);
      starts.shift();
    }
    const { producerId = '', inTransaction = false } = record.batchContext ?? {};
    if (record.isControlRecord === true) {
      if (record.key?.equals(abortMarker) === true) open.delete(producerId);
      return true;
    }
    return !(inTransaction && open.has(producerId));
  });
}
