import * as t from 'io-ts';
import type { BookKeeper } from '../book-keeper.ts';
import { levelsOf, type Level } from '../order-book.ts';
import type { FrameSink } from './frame-sink.ts';

/** A change of a book: it leads from update `U` to `u`; futures say in `pu` which `u` was before it. */
export const DepthUpdate: t.Type<DepthUpdateFrame> = t.intersection([
  t.type({
    e: t.literal('depthUpdate'),
    E: t.number,
    s: t.string,
    U: t.number,
    u: t.number,
    b: t.unknown,
    a: t.unknown,
  }),
  t.partial({ pu: t.number, T: t.number }),
]);
export interface DepthUpdateFrame {
  readonly e: 'depthUpdate';
  readonly E: number;
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu?: number;
  readonly T?: number;
  readonly b: unknown;
  readonly a: unknown;
}

/** The answer to the REST request for a whole book. */
export const DepthSnapshot: t.Type<DepthSnapshotFrame> = t.intersection([
  t.type({ lastUpdateId: t.number, bids: t.readonlyArray(t.unknown), asks: t.readonlyArray(t.unknown) }),
  t.partial({ E: t.number, T: t.number }),
]);
export interface DepthSnapshotFrame {
  readonly lastUpdateId: number;
  readonly bids: readonly unknown[];
  readonly asks: readonly unknown[];
  readonly E?: number;
  readonly T?: number;
}

interface Diff {
  readonly first: number;
  readonly last: number;
  readonly previous: number | undefined;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly time: number;
}

interface Depth {
  /** Changes that wait for the snapshot which they follow. */
  waiting: Diff[];
  /** The update that the book stands at; undefined before its snapshot. */
  at: number | undefined;
  /** Whether a change was applied since the snapshot: from then on each must follow the one before. */
  bridged: boolean;
}

/** Changes kept while a snapshot is on its way: 100 s of the fastest stream. */
const maxWaiting = 1_000;

/**
 * Joins the stream of changes with the snapshot fetched apart from it: changes wait for the snapshot, those
 * it holds already are dropped, the first after it must reach over its number, and each must follow the last.
 * Source: Binance API, "How to manage a local order book correctly", spot and USD-M futures.
 */
export class BinanceDepth {
  readonly #depths = new Map<string, Depth>();
  readonly #keeper: BookKeeper;
  readonly #url: (symbol: string) => string;

  constructor(keeper: BookKeeper, url: (symbol: string) => string) {
    this.#keeper = keeper;
    this.#url = url;
  }

  update(symbol: string, frame: DepthUpdateFrame, out: FrameSink): void {
    const [bids, asks] = [levelsOf(frame.b), levelsOf(frame.a)];
    if (bids === undefined || asks === undefined) {
      this.#lose(symbol, 'a level is no price with a size', out);
      out.malformed(`a level of the book of ${symbol} is no price with a size`);
      return;
    }
    const diff = { first: frame.U, last: frame.u, previous: frame.pu, bids, asks, time: frame.T ?? frame.E };
    const depth = this.#depths.get(symbol);
    if (depth?.at !== undefined) this.#follow(symbol, depth, diff, out);
    else this.#wait(symbol, depth, diff, out);
  }

  /** @param symbol undefined where the answer does not tell; then it is the book whose changes it bridges */
  snapshot(symbol: string | undefined, frame: DepthSnapshotFrame, out: FrameSink): boolean {
    const name = symbol ?? this.#bridgedBy(frame.lastUpdateId);
    const [bids, asks] = [levelsOf(frame.bids), levelsOf(frame.asks)];
    if (name === undefined || bids === undefined || asks === undefined) return false;
    const waiting = this.#depths.get(name)?.waiting ?? [];
    const depth: Depth = { waiting: [], at: frame.lastUpdateId, bridged: false };
    this.#depths.set(name, depth);
    const time = frame.T === undefined ? {} : { time: frame.T };
    this.#keeper.snapshot({ symbol: name, bids, asks, sequence: frame.lastUpdateId, ...time }, out);
    for (const diff of waiting) this.#next(name, diff, out);
    return true;
  }

  reset(): void {
    this.#depths.clear();
  }

  #next(symbol: string, diff: Diff, out: FrameSink): void {
    const depth = this.#depths.get(symbol);
    if (depth?.at === undefined) this.#wait(symbol, depth, diff, out);
    else this.#follow(symbol, depth, diff, out);
  }

  #wait(symbol: string, known: Depth | undefined, diff: Diff, out: FrameSink): void {
    const depth = known ?? { waiting: [], at: undefined, bridged: false };
    if (known === undefined) {
      this.#depths.set(symbol, depth);
      out.control({ kind: 'snapshot', symbol, url: this.#url(symbol) });
    }
    depth.waiting.push(diff);
    if (depth.waiting.length > maxWaiting) depth.waiting.shift();
  }

  #follow(symbol: string, depth: Depth, diff: Diff, out: FrameSink): void {
    const at = depth.at ?? 0;
    // Futures repeat the snapshot's own last update in the first change; spot goes on behind it.
    if (diff.last < at || (diff.previous === undefined && diff.last === at)) return;
    if (depth.bridged && diff.last === at) return;
    if (!follows(depth, diff, at)) {
      this.#lose(symbol, `update ${diff.previous ?? diff.first} does not follow ${at}`, out);
      this.#wait(symbol, undefined, diff, out);
      return;
    }
    depth.at = diff.last;
    depth.bridged = true;
    this.#keeper.diff(
      { symbol, bids: diff.bids, asks: diff.asks, time: diff.time, sequence: diff.last },
      out,
    );
    if (!this.#keeper.live(symbol) && this.#depths.get(symbol) === depth) this.#depths.delete(symbol);
  }

  #lose(symbol: string, reason: string, out: FrameSink): void {
    this.#depths.delete(symbol);
    this.#keeper.lose(symbol, reason, out);
  }

  #bridgedBy(lastUpdateId: number): string | undefined {
    const waiting = [...this.#depths].filter(([, depth]) => depth.at === undefined);
    if (waiting.length === 1) return waiting[0]?.[0];
    return waiting.find(([, { waiting: diffs }]) =>
      diffs.some(diff => diff.first <= lastUpdateId + 1 && lastUpdateId <= diff.last),
    )?.[0];
  }
}

function follows(depth: Depth, diff: Diff, at: number): boolean {
  if (!depth.bridged) return diff.first <= at + 1;
  return diff.previous === undefined ? diff.first === at + 1 : diff.previous === at;
}
