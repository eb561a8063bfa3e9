import * as t from 'io-ts';
import { type Marker, decodeState } from '../src/index.ts';
import { numberOrNull } from './number-codecs.ts';

const Stored = t.type({ firstEnd: numberOrNull, times: t.array(numberOrNull) });

/** How far every partition of the universe has come, and where its first bar ended. */
export class UniverseMarks {
  /** End of the earliest bar, ms of event time. */
  firstEnd: number | undefined;
  readonly #times: (number | null)[];

  constructor(partitions: number) {
    this.#times = new Array<null>(partitions).fill(null);
  }

  bar(end: number): void {
    if (this.firstEnd === undefined || end < this.firstEnd) this.firstEnd = end;
  }

  /** The end of a feed closes nothing beyond its own last time, so its time counts like any other. */
  mark(partition: number, { kind, time }: Marker): void {
    if (kind !== 'absent') this.#times[partition] = Math.max(this.#times[partition] ?? time, time);
  }

  /** Up to where all partitions have come, ms of event time. */
  get watermark(): number {
    return this.#times.reduce<number>(
      (least, time) => Math.min(least, time ?? Number.NEGATIVE_INFINITY),
      Number.POSITIVE_INFINITY,
    );
  }

  encode(): unknown {
    return { firstEnd: this.firstEnd ?? null, times: [...this.#times] };
  }

  /** @throws StateRefused where it has another shape */
  static decode(json: unknown): UniverseMarks {
    const { firstEnd, times } = decodeState('regime marks', Stored, json);
    const marks = new UniverseMarks(times.length);
    times.forEach((time, partition) => {
      marks.#times[partition] = time;
    });
    if (firstEnd !== null) marks.firstEnd = firstEnd;
    return marks;
  }
}
