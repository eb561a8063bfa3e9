import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, fail, ok, settlement } from '../src/core/delivery.ts';
import { derivedMessage } from '../src/core/derived-message.ts';
import { handleFailure } from '../src/core/failure.ts';
import { type Marker, isMarker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { type Counter, type Meter, idleMeter } from '../src/core/meter.ts';
import { finiteNumber } from '../src/core/option.ts';
import { emitAs } from '../src/core/outputs.ts';
import { partialStage } from '../src/core/stage.ts';
import type { KeyedState, StateEntry } from '../src/core/keyed-state.ts';
import { type StateCodec, type StateStore, memoryStateStore } from '../src/core/state.ts';
import type { StageOptions } from './map-values.ts';

/** What a window gathers, from its first value to its result. */
export interface WindowAggregate<A, W, B> {
  /** A window that holds its first value; `add` is not called for that one. */
  open(value: A, message: Message): W;
  /** Adds each further value, in place. */
  add(window: W, value: A, message: Message): void;
  /** The result; `closedBy` is the value or the marker that closed it. */
  close(window: W, end: number, closedBy: A | Marker, key: string): B;
}

export interface TumblingWindowOptions<A, W> extends StageOptions {
  /** Names the state in the store. Default `tumblingWindow`. */
  readonly name?: string;
  readonly sizeMs: number;
  /** How much longer than its end a window waits for values out of order, ms; default 0. */
  readonly latenessMs?: number;
  /** Event time of a value, ms; default: the message's. */
  readonly time?: (value: A, message: Message) => number;
  /** Default: the message's key. */
  readonly key?: (value: A, message: Message) => string;
  /** Whether a value completes its window by itself; default: never. */
  readonly completes?: (value: A, end: number) => boolean;
  /**
   * What a value is told apart by: of those of one window that say the same the first counts, the others are
   * repetitions, left out. Default, and where it says undefined: each counts.
   */
  readonly identity?: (value: A, message: Message) => string | undefined;
  readonly codec: StateCodec<W>;
  readonly state?: StateStore;
  /** Counts values for windows already closed as `stream_late_total`, repetitions as `stream_filtered_total`. */
  readonly meter?: Meter;
}

interface OpenWindow<W> {
  readonly end: number;
  readonly window: W;
  /** Identities of its values. */
  readonly seen: Set<string>;
}

/** What is remembered of one key: its open windows, and up to where they are closed. */
interface KeyWindows<W> {
  readonly open: OpenWindow<W>[];
  closedUpTo: number;
}

/**
 * Windows of equal length per key, by event time, aligned to the epoch: a window holds values with
 * `start < time <= end`. It closes when event time is past its end and the lateness: by a later value of its own
 * key, or by a marker; an `end` marker closes all. A key's windows close in order, those that one marker closes
 * in the order of their keys; a value for a closed window is late: counted, acked and dropped.
 * The message of a result has the key of the window and its end as event time, so that it is published under these, and
 * windows and joins behind go by them. It is older than what closes the window, by more than the lateness, and so the
 * markers that the pipeline sends on are so much behind, too.
 * Markers are acked with the results they caused. What a function throws becomes a `handle` failure of the value
 * or marker in hand; a window that cannot be closed is lost with it.
 *
 * ```
 * in     --1---2---4---m5---|      size 3, lateness 0
 * out    ----------A---B----|      A: 1 2, closed by 4; B: 4, closed by m5 only if it is past 6
 * ```
 *
 * @throws OptionError when made, for a size or lateness out of range
 */
export function tumblingWindow<A, W, B>(
  aggregate: WindowAggregate<A, W, B>,
  options: TumblingWindowOptions<A, W>,
): OperatorFunction<Delivery<A | Marker>, Delivery<B>> {
  const { name = 'tumblingWindow', meter = idleMeter, latenessMs = 0, scheduler = asyncScheduler } = options;
  finiteNumber(`${name}.sizeMs`, options.sizeMs, 1);
  finiteNumber(`${name}.latenessMs`, latenessMs, 0);
  const counters = {
    late: meter.counter('stream_late_total', { stage: name }),
    repeated: meter.counter('stream_filtered_total', { stage: name }),
  };
  return partialStage(
    name,
    subscriber => {
      const states = (options.state ?? memoryStateStore()).keyed(name, windowsCodec(options.codec));
      const windows = new Windows(aggregate, { ...options, latenessMs }, states, counters);
      return {
        next: (delivery: Delivery<A | Marker>) => {
          if (!delivery.ok) return subscriber.next(delivery);
          let closed: readonly Closed<B>[];
          try {
            closed = windows.take(delivery);
          } catch (error) {
            const failure = handleFailure(name, error, delivery[settlement].attempt, scheduler.now());
            return subscriber.next(fail(delivery, failure));
          }
          return emitAs(subscriber, delivery, closed, (window, duty) =>
            ok(window.result, messageOf(delivery.message, window), duty),
          );
        },
      };
    },
    // It closes by what is later than its end and the lateness.
    { behindMs: latenessMs + 1 },
  );
}

/** A window's result, and whose it is. */
interface Closed<B> {
  readonly result: B;
  readonly key: string;
  readonly end: number;
}

/** The same whatever closed the window: a later value here is a marker there. */
function messageOf(message: Message, { key, end }: Closed<unknown>): Message {
  return derivedMessage(message, { key, timestamp: end, ordinal: () => 'window' });
}

interface Counters {
  readonly late: Counter;
  readonly repeated: Counter;
}

class Windows<A, W, B> {
  readonly #aggregate: WindowAggregate<A, W, B>;
  readonly #options: TumblingWindowOptions<A, W> & { readonly latenessMs: number };
  readonly #states: KeyedState<KeyWindows<W>>;
  readonly #counters: Counters;

  constructor(
    aggregate: WindowAggregate<A, W, B>,
    options: TumblingWindowOptions<A, W> & { readonly latenessMs: number },
    states: KeyedState<KeyWindows<W>>,
    counters: Counters,
  ) {
    this.#aggregate = aggregate;
    this.#options = options;
    this.#states = states;
    this.#counters = counters;
  }

  take({ value, message }: Ok<A | Marker>): readonly Closed<B>[] {
    return isMarker(value) ? this.#mark(value, message.partition) : this.#add(value, message);
  }

  #add(value: A, message: Message): readonly Closed<B>[] {
    const { sizeMs, latenessMs, time, key, completes } = this.#options;
    const at = time ? time(value, message) : message.timestamp;
    const end = Math.ceil(at / sizeMs) * sizeMs;
    const entry = this.#entryOf(message.partition, key ? key(value, message) : (message.key ?? ''));
    if (end <= entry.state.closedUpTo) {
      this.#counters.late.add();
      return [];
    }
    entry.dirty = true;
    const isComplete = completes?.(value, end) === true;
    if (isComplete && entry.state.open.length === 0) {
      entry.state.closedUpTo = end;
      const result = this.#aggregate.close(this.#aggregate.open(value, message), end, value, entry.key);
      return [{ result, key: entry.key, end }];
    }
    this.#gather(entry.state, end, value, message);
    const own = isComplete ? end : Number.NEGATIVE_INFINITY;
    return this.#close(entry, Math.max(own, lastEndBefore(at - latenessMs, sizeMs)), value);
  }

  #mark(marker: Marker, partition: number): readonly Closed<B>[] {
    if (marker.kind === 'absent') return [];
    const { sizeMs, latenessMs } = this.#options;
    const upTo =
      marker.kind === 'end' ? Number.POSITIVE_INFINITY : lastEndBefore(marker.time - latenessMs, sizeMs);
    const results: Closed<B>[] = [];
    // In an order that does not depend on which key came first, for that is forgotten over a restart.
    const due = [...this.#states.entries(partition)].filter(
      ({ state: { open } }) => open[0] !== undefined && open[0].end <= upTo,
    );
    due.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const entry of due) results.push(...this.#close(entry, upTo, marker));
    return results;
  }

  #entryOf(partition: number, key: string): StateEntry<KeyWindows<W>> {
    return (
      this.#states.get(partition, key) ??
      this.#states.create(partition, key, { open: [], closedUpTo: Number.MIN_SAFE_INTEGER })
    );
  }

  #gather({ open }: KeyWindows<W>, end: number, value: A, message: Message): void {
    const identity = this.#options.identity?.(value, message);
    const existing = open.find(window => window.end === end);
    if (existing) {
      if (identity !== undefined && existing.seen.has(identity)) {
        this.#counters.repeated.add();
        return;
      }
      this.#aggregate.add(existing.window, value, message);
      if (identity !== undefined) existing.seen.add(identity);
      return;
    }
    const later = open.findIndex(window => window.end > end);
    const seen = new Set(identity === undefined ? [] : [identity]);
    const opened = { end, window: this.#aggregate.open(value, message), seen };
    open.splice(later < 0 ? open.length : later, 0, opened);
  }

  /** Closes the key's windows that end at or before a time, oldest first. */
  #close(entry: StateEntry<KeyWindows<W>>, upTo: number, closedBy: A | Marker): readonly Closed<B>[] {
    const { open } = entry.state;
    const results: Closed<B>[] = [];
    for (let first = open[0]; first !== undefined && first.end <= upTo; first = open[0]) {
      open.shift();
      entry.state.closedUpTo = first.end;
      entry.dirty = true;
      const result = this.#aggregate.close(first.window, first.end, closedBy, entry.key);
      results.push({ result, key: entry.key, end: first.end });
    }
    return results;
  }
}

/** The end of the last window that lies wholly before a time. */
function lastEndBefore(time: number, sizeMs: number): number {
  return (Math.ceil(time / sizeMs) - 1) * sizeMs;
}

function windowsCodec<W>(codec: StateCodec<W>): StateCodec<KeyWindows<W>> {
  return {
    version: `windows-2/${codec.version}`,
    encode: ({ open, closedUpTo }) => ({
      open: open.map(({ end, window, seen }) => [end, codec.encode(window), [...seen]]),
      closedUpTo,
    }),
    decode: json => {
      const { open, closedUpTo } = json as { open: [number, unknown, string[]][]; closedUpTo: number };
      return {
        open: open.map(([end, window, seen]) => ({ end, window: codec.decode(window), seen: new Set(seen) })),
        closedUpTo,
      };
    },
  };
}
