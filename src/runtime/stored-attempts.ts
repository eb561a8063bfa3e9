import {
  type Observable,
  type SchedulerLike,
  type Subscription,
  concatMap,
  endWith,
  forkJoin,
  ignoreElements,
  of,
  tap,
} from 'rxjs';
import type { EventBus, TopicPartition } from '../bus/event-bus.ts';
import { placeName } from '../bus/partition-name.ts';
import { type AttemptLedger, type AttemptPlace, MemoryAttemptLedger } from '../core/attempt-ledger.ts';
import { fenceChangelog } from './changelog-fence.ts';
import type { Tenure } from './held-partitions.ts';
import type { StateUnits } from './state-units.ts';
import { type AttemptsRecord, attemptsKey, changelogOf } from './snapshot-format.ts';
import { readOn } from './stored-state.ts';
import type { UnitCopy } from './unit-copy.ts';

/** So long after a change it is written: what was tried and has passed by then costs nothing. */
const writeAfterMs = 25;
/** And so long after one that could not be written. */
const writeAgainAfterMs = 1_000;
/** How often it is looked whether what was read again is settled already. */
const sweepMs = 10_000;

interface Change {
  readonly operator: string;
  readonly place: AttemptPlace;
}

/**
 * The attempts at a pipeline's messages in its changelog, written soon after they change and read again with the
 * partitions that they are of. Nothing is written while nothing fails.
 */
export class StoredAttempts {
  readonly #bus: EventBus;
  readonly #pipeline: string;
  readonly #changelog: ReturnType<typeof changelogOf>;
  readonly #units: StateUnits;
  readonly #scheduler: SchedulerLike;
  readonly #offsets: () => Readonly<Record<string, number>>;
  readonly #ledgers = new Map<string, MemoryAttemptLedger>();
  /** Not yet written, by key. */
  readonly #changes = new Map<string, Change>();
  /** What the changelog holds of the partitions at hand: only that has to be removed from it. */
  readonly #stored = new Set<string>();
  /** Partitions that were here and are not. */
  readonly #givenUp = new Set<string>();
  #stopped = false;
  #timer: Subscription | undefined;
  #sweep: Subscription | undefined;
  #writing = 0;
  #written: (() => void)[] = [];

  /** @param offsets up to where, exclusive, each partition is settled; by `topic/partition` */
  constructor(
    bus: EventBus,
    pipeline: string,
    units: StateUnits,
    scheduler: SchedulerLike,
    offsets: () => Readonly<Record<string, number>>,
  ) {
    this.#bus = bus;
    this.#pipeline = pipeline;
    this.#changelog = changelogOf(pipeline);
    this.#units = units;
    this.#scheduler = scheduler;
    this.#offsets = offsets;
  }

  /** The ledger of the operator of this name. */
  of(operator: string): AttemptLedger {
    const known = this.#ledgers.get(operator);
    if (known) return known;
    const ledger = new MemoryAttemptLedger(place => this.#changed({ operator, place }));
    this.#ledgers.set(operator, ledger);
    return ledger;
  }

  /**
   * Takes up what is stored of partitions that have just come, as far as they are left by then; emits once.
   *
   * @param copies what is known of their units: it is read on in
   */
  assigned(tenure: Tenure, copies: ReadonlyMap<number, UnitCopy>): Observable<unknown> {
    for (const place of tenure.partitions) this.#givenUp.delete(placeName(place));
    if (this.#ledgers.size === 0) return of(undefined);
    const isMeant = (record: AttemptsRecord): boolean => tenure.left.some(place => isOf(place, record));
    return this.#fenced([...copies.keys()]).pipe(
      concatMap(() => readOn(this.#bus, this.#pipeline, copies, { untilEnd: true })),
      ignoreElements(),
      endWith(undefined),
      tap(() => {
        for (const { attempts } of copies.values())
          attempts.filter(isMeant).forEach(record => this.#restore(record));
      }),
    );
  }

  /** Writes what is known of partitions that have been given up, and leaves it to who has them now. */
  revoked(partitions: readonly TopicPartition[]): void {
    this.write();
    for (const place of partitions) this.#givenUp.add(placeName(place));
    for (const [operator, ledger] of this.#ledgers) {
      for (const place of ledger.places) {
        if (!partitions.some(partition => isOf(partition, place))) continue;
        ledger.forget(place);
        this.#stored.delete(attemptsKey(operator, place));
      }
    }
  }

  /** Writes what has changed. Calls back once nothing is being written. */
  write(done?: () => void): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    const changes = [...this.#changes];
    this.#changes.clear();
    if (done) this.#written.push(done);
    this.#writing++;
    for (const [key, change] of changes) this.#send(key, change);
    this.#ended();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.unsubscribe();
    this.#sweep?.unsubscribe();
    this.#changes.clear();
  }

  #restore(record: AttemptsRecord): void {
    const { operator, topic, partition, offset, count, firstAt, lastAt, dueAt } = record;
    const place = { topic, partition, offset };
    const key = attemptsKey(operator, place);
    this.#stored.add(key);
    const ledger = this.#ledgers.get(operator);
    if (ledger) {
      ledger.restore(place, { count, firstAt, lastAt, dueAt });
      this.#sweep ??= this.#scheduler.schedule(() => this.#sweepSettled(), sweepMs);
    } else {
      // The operator is no more.
      this.#changes.set(key, { operator, place });
      this.#writeAfter(writeAfterMs);
    }
  }

  /** Forgets messages that are settled, and whose operator was not there any more to tell so. */
  #sweepSettled(): void {
    this.#sweep = undefined;
    const offsets = this.#offsets();
    for (const ledger of this.#ledgers.values()) {
      for (const place of ledger.places) {
        if (place.offset < (offsets[`${place.topic}/${place.partition}`] ?? 0)) ledger.delete(place);
      }
      if (ledger.size > 0) this.#sweep ??= this.#scheduler.schedule(() => this.#sweepSettled(), sweepMs);
    }
  }

  #changed(change: Change): void {
    const key = attemptsKey(change.operator, change.place);
    const isKnown = this.#ledgers.get(change.operator)?.get(change.place) !== undefined;
    if (!isKnown && !this.#stored.has(key)) this.#changes.delete(key);
    else this.#changes.set(key, change);
    if (this.#changes.size > 0) this.#writeAfter(writeAfterMs);
  }

  #writeAfter(delayMs: number): void {
    this.#timer ??= this.#scheduler.schedule(() => this.write(), delayMs);
  }

  #send(key: string, change: Change): void {
    const { operator, place } = change;
    const { topic, partition, offset } = place;
    const record = this.#ledgers.get(operator)?.get(place);
    const { name, codec } = this.#changelog;
    const payload =
      record && codec.encode({ kind: 'attempts', operator, topic, partition, offset, ...record });
    if (record) this.#stored.add(key);
    else this.#stored.delete(key);
    this.#writing++;
    this.#bus.send(
      { topic: name, key, payload: payload ?? null, partition: this.#units.of(partition), patient: true },
      error => {
        // Who has the partition by now has counted on.
        if (error && !this.#stopped && !this.#givenUp.has(placeName(place))) {
          // What has changed since is written as it is by then.
          this.#changes.set(key, change);
          this.#stored.add(key);
          this.#writeAfter(writeAgainAfterMs);
        }
        this.#ended();
      },
    );
  }

  #ended(): void {
    if (--this.#writing === 0) for (const done of this.#written.splice(0)) done();
  }

  /** Emits once all that was sent to the changelog before is stored in it: who had the partitions may just have. */
  #fenced(units: readonly number[]): Observable<unknown> {
    return forkJoin(units.map(unit => fenceChangelog(this.#bus, this.#pipeline, unit, 'attempts')));
  }
}

function isOf(place: TopicPartition, { topic, partition }: TopicPartition): boolean {
  return place.topic === topic && place.partition === partition;
}
