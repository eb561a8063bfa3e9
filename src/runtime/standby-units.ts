import { crc32 } from 'node:zlib';
import { type SchedulerLike, Subscription } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { Message } from '../core/message.ts';
import type { SeriesMeter } from './series.ts';
import { changelogOf } from './snapshot-format.ts';
import { readOn } from './stored-state.ts';
import { UnitCopy } from './unit-copy.ts';

/** What standing by needs of its pipeline's run. */
export interface StandbyHost {
  readonly pipeline: string;
  readonly bus: EventBus;
  readonly scheduler: SchedulerLike;
  readonly meter: SeriesMeter;
  /** Names this process: each copies other units first. */
  readonly worker: string;
  /** Bytes of copies at most, as stored; undefined: none are kept. */
  readonly maxBytes: number | undefined;
  /** Units of the pipeline; undefined while that is not known. */
  readonly count: () => number | undefined;
  /** Whether the unit is this process's own. */
  readonly isHeld: (unit: number) => boolean;
}

/** After how long without partitions that come and go copying begins, ms. */
const settleMs = 1_000;
/** After how long it begins anew where the changelog cannot be read, ms. */
const againMs = 5_000;
/** How often it is asked where the changelog ends, ms. */
const lookMs = 5_000;

/**
 * Warm copies of the units that others have: what is written of them is read all the time, so that whoever takes one
 * over has little left to read before its first message. Every process copies what it does not have, as far as its
 * bytes go, and begins with other units than the others do: it does not know who else there is.
 */
export class StandbyUnits {
  readonly #host: StandbyHost;
  readonly #copies = new Map<number, UnitCopy>();
  /** Units that are being taken over, with how many records had been read of them before. */
  readonly #claimed = new Map<number, number>();
  /** Units whose copies are kept up. */
  readonly #warm = new Set<number>();
  /** Units for which there was no room. */
  readonly #refused = new Set<number>();
  /** Units that the changelog is being read for; some may not be kept any more. */
  #read: readonly number[] = [];
  #gauges: readonly (() => void)[] | undefined;
  #stopped = false;
  #ends: readonly number[] = [];
  #tail = new Subscription();
  #timer = new Subscription();
  #asking = new Subscription();

  constructor(host: StandbyHost) {
    this.#host = host;
  }

  /** What is known of a unit that comes, to be read on in by whoever takes it over. */
  claim(unit: number): UnitCopy {
    this.#warm.delete(unit);
    const copy = this.#copyOf(unit);
    if (!this.#claimed.has(unit)) this.#claimed.set(unit, copy.taken);
    return copy;
  }

  /** Claimed units are loaded, or have gone again. */
  release(units: Iterable<number>): void {
    const { meter, pipeline } = this.#host;
    const restored = meter.counter('stream_restored_records_total', { pipeline });
    for (const unit of units) {
      const before = this.#claimed.get(unit);
      if (before === undefined) continue;
      restored.add((this.#copies.get(unit)?.taken ?? before) - before);
      this.#claimed.delete(unit);
      if (!this.#warm.has(unit)) this.#copies.delete(unit);
    }
  }

  /** Units have come or gone: soon those that others have are copied. */
  changed(): void {
    if (this.#host.maxBytes === undefined || this.#stopped) return;
    this.#gauges ??= this.#measured();
    this.#refused.clear();
    this.#copyAfter(settleMs);
  }

  stop(): void {
    this.#stopped = true;
    for (const forget of this.#gauges ?? []) forget();
    for (const each of [this.#timer, this.#asking, this.#tail]) each.unsubscribe();
    this.#warm.clear();
    this.#copies.clear();
  }

  #measured(): readonly (() => void)[] {
    const { pipeline, meter } = this.#host;
    const gauge = (name: string, read: () => number): (() => void) => meter.gauge(name, read, { pipeline });
    return [
      gauge('stream_standby_partitions', () => this.#warm.size),
      gauge('stream_standby_bytes', () => this.#sum(({ bytes }) => bytes)),
      gauge('stream_standby_lag', () =>
        this.#sum(({ position }, unit) => Math.max(0, (this.#ends[unit] ?? 0) - position)),
      ),
    ];
  }

  #sum(of: (copy: UnitCopy, unit: number) => number): number {
    let sum = 0;
    for (const [unit, copy] of this.#copies) if (this.#warm.has(unit)) sum += of(copy, unit);
    return sum;
  }

  #copyAfter(ms: number): void {
    this.#timer.unsubscribe();
    this.#timer = this.#host.scheduler.schedule(() => this.#copy(), ms);
  }

  #copy(): void {
    const { pipeline, bus, count, isHeld } = this.#host;
    const units = Array.from({ length: count() ?? 0 }, (_, unit) => unit);
    const wanted = units.filter(unit => !isHeld(unit) && !this.#refused.has(unit));
    if (wanted.join() === this.#read.join() && wanted.every(unit => this.#warm.has(unit))) return;
    for (const unit of [...this.#warm]) if (!wanted.includes(unit)) this.#drop(unit);
    const copies = new Map(wanted.map(unit => [unit, this.#copyOf(unit)]));
    for (const unit of wanted) this.#warm.add(unit);
    this.#tail.unsubscribe();
    this.#read = wanted;
    this.#askEnds();
    if (wanted.length === 0) return;
    const lost = (): void => this.#lost();
    this.#tail = readOn(bus, pipeline, copies).subscribe({
      next: message => this.#fit(message),
      error: lost,
      complete: lost,
    });
  }

  /** What was read takes room: where there is none left, the unit that is this process's last to copy goes. */
  #fit({ payload }: Message): void {
    const { maxBytes = 0, worker } = this.#host;
    if (payload === null || this.#sum(({ bytes }) => bytes) <= maxBytes) return;
    const rank = (unit: number): number => crc32(`${worker}/${unit}`);
    const [last] = [...this.#warm].sort((a, b) => rank(b) - rank(a));
    if (last === undefined) return;
    this.#refused.add(last);
    this.#drop(last);
    this.#copyAfter(0);
  }

  /** The changelog cannot be read, or was made anew: what is known of it may not be true any more. */
  #lost(): void {
    if (this.#stopped) return;
    for (const unit of [...this.#warm]) this.#drop(unit);
    this.#read = [];
    this.#copyAfter(againMs);
  }

  #copyOf(unit: number): UnitCopy {
    const copy = this.#copies.get(unit) ?? new UnitCopy(this.#host.pipeline);
    this.#copies.set(unit, copy);
    return copy;
  }

  #drop(unit: number): void {
    this.#warm.delete(unit);
    this.#copies.delete(unit);
  }

  #askEnds(): void {
    const { bus, pipeline, scheduler } = this.#host;
    this.#asking.unsubscribe();
    if (this.#warm.size === 0) return;
    // A lag that is not known is told as it was last.
    bus.endOffsets(changelogOf(pipeline).name).then(
      ends => (this.#ends = ends),
      () => undefined,
    );
    this.#asking = scheduler.schedule(() => this.#askEnds(), lookMs);
  }
}
