import type { FeedItem } from '../feed.ts';

/** Items of a file or of a session of several, in the order in which they stand there. */
export interface ItemSource {
  /** Stable over restarts; the count of items taken is recorded under it. */
  readonly name: string;
  /** The next items; undefined at the end. */
  next(): Promise<readonly FeedItem[] | undefined>;
  /** Bytes of its files that were read, as they lie on disk. */
  readonly bytesRead: number;
  close(): Promise<void>;
}

/** The event time of an item; of malformed input undefined, as it has none. */
export function timeOf(item: FeedItem): number | undefined {
  if (item.kind === 'malformed') return undefined;
  return item.kind === 'time' ? item.time : item.value.time;
}
