import type { Marker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import type { Meter } from '../src/core/meter.ts';
import type { StageOptions } from './map-values.ts';

export interface JoinAsOfOptions<A, T> extends StageOptions {
  /**
   * `partition`: the table's topic has as many partitions as the stream's, and a key is in the same of both.
   * `broadcast`: every delivery sees the whole table.
   */
  readonly scope: 'partition' | 'broadcast';
  /** As of when a delivery wants its row, ms of event time; default: the message's event time. */
  readonly time?: (value: A, message: Message) => number;
  /** Which row it wants; default: the message's key. */
  readonly key?: (value: A, message: Message) => string;
  /** Event time of a row, ms; default: the message's. */
  readonly rowTime?: (row: T, message: Message) => number;
  readonly rowKey?: (row: T, message: Message) => string;
  /** Whether a delivery needs a row at all; default: all do. One that does not still keeps its place. */
  readonly needed?: (value: A, message: Message) => boolean;
  /** A row of exactly the time asked for is the one: do not wait for the watermark then. Default false. */
  readonly exact?: boolean;
  /**
   * How far behind the stream rows are kept, ms of event time; default 1 h. The stream's markers tell how far it
   * has come; its deliveries, whose keys may be apart in time, only where the table is full and no marker came.
   */
  readonly keepMs?: number;
  /** Rows held before the table's source is paused; default 100 000. */
  readonly maxRows?: number;
  /** Gauges `stream_join_waiting` (deliveries that wait for the table) and `stream_table_rows`; counts late ones. */
  readonly meter?: Meter;
}

/** What a delivery is joined with. */
export interface AsOf<T> {
  /** The newest row at or before the time asked for, where there is one. */
  readonly row: T | undefined;
  /** Set where the feed does not carry the table's topic at all. */
  readonly absent: Marker | undefined;
}
