import { type SchedulerLike, type Subscriber, asyncScheduler } from 'rxjs';
import { type Delivery, failed, ok, settlement } from '../src/core/delivery.ts';
import { type DataOf, type MarkersOf, isMarkerDelivery } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { Queue } from '../src/core/queue.ts';
import { type Section, aroundSection } from '../src/core/section.ts';
import type { Settlement } from '../src/core/settlement.ts';
import { WatchedSettlement, visitWatched } from '../src/core/watched-settlement.ts';

export interface FenceOptions {
  /** Default `fence`. */
  readonly name?: string;
  /** Gauges `stream_buffered`: the markers that wait. */
  readonly meter?: Meter;
  /** When a marker goes on that waited; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Leads markers round a section of the chain, each behind what came before it. A section that lets keys overtake
 * each other (retries, keyed concurrency) would let markers overtake them too, and whoever goes by event time
 * behind it would take for late what was only slow. What comes after a marker may pass it: a marker only says
 * that everything up to its time has been said.
 *
 * ```
 * in        --a--b--m----------|      m: a marker
 * section     a at once, b after 8
 * out       --a----------(bm)--|
 * ```
 *
 * A delivery has left the section when something of it comes out, or when it is settled inside.
 *
 * @example
 * source(prices).pipe(fence(retryWithBackoff(enrich)), decode(prices, { markers: true }))
 */
export function fence<A, B>(
  section: Section<NoInfer<DataOf<A>>, B>,
  options?: FenceOptions,
): Section<A, B | Led<A>>;
export function fence<A, B>(
  section: Section<A, B>,
  { name = 'fence', meter = idleMeter, scheduler = asyncScheduler }: FenceOptions = {},
): Section<A, A | B> {
  return aroundSection<A, A | B>(name, section, (subscriber, entrance) => {
    const lanes = new Lanes<A | B>(subscriber, scheduler);
    subscriber.add(meter.gauge('stream_buffered', () => lanes.waiting, { stage: name }));
    return {
      next: (delivery: Delivery<A>) => {
        const lane = lanes.of(delivery.message);
        if (isMarkerDelivery(delivery)) lane.hold(delivery);
        else entrance.next(watched(delivery, lane.enter(delivery[settlement])));
      },
      left: delivery => {
        subscriber.next(delivery);
        visitWatched(delivery[settlement], duty => {
          if (duty instanceof Passage) duty.leave();
        });
      },
      ended: () => lanes.complete(),
    };
  });
}

/** What markers that are led round the section are among the values: undecoded, they have none. */
type Led<A> = MarkersOf<A> | Extract<A, null>;

function watched<A>(delivery: Delivery<A>, duty: Settlement): Delivery<A> {
  const { message } = delivery;
  return delivery.ok ? ok(delivery.value, message, duty) : failed(delivery.failure, message, duty);
}

/** A delivery on its way through the section: it has left once something of it comes out, or it is settled. */
class Passage extends WatchedSettlement {
  readonly #left: () => void;
  hasLeft = false;

  constructor(duty: Settlement, left: () => void) {
    super(duty);
    this.#left = left;
  }

  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.#left();
  }

  protected settling(): void {
    this.leave();
  }
}

/** The deliveries of one partition that are in the section, and the markers that wait for them, in order. */
class Lane<A> {
  readonly #standing = new Queue<Passage | Delivery<A>>();
  readonly #emit: (marker: Delivery<A>) => void;
  readonly #left: () => void;
  /** Markers that wait. */
  waiting = 0;

  /** @param releaseSoon something has left before a marker; more of it may be about to come out */
  constructor(emit: (marker: Delivery<A>) => void, releaseSoon: (lane: Lane<A>) => void) {
    this.#emit = emit;
    this.#left = () => {
      const front = this.#front();
      if (front !== undefined && !(front instanceof Passage)) releaseSoon(this);
    };
  }

  enter(duty: Settlement): Settlement {
    const passage = new Passage(duty, this.#left);
    this.#standing.push(passage);
    return passage;
  }

  hold(marker: Delivery<A>): void {
    if (this.#front() === undefined) this.#emit(marker);
    else {
      this.#standing.push(marker);
      this.waiting++;
    }
  }

  release(): void {
    for (let front = this.#front(); front !== undefined; front = this.#front()) {
      if (front instanceof Passage) return;
      this.#standing.shift();
      this.waiting--;
      this.#emit(front);
    }
  }

  /** Whoever stands in front, once those that have left or were taken back are forgotten. */
  #front(): Passage | Delivery<A> | undefined {
    for (;;) {
      const front = this.#standing.peek();
      if (!(front instanceof Passage) || !(front.hasLeft || front.revoked)) return front;
      this.#standing.shift();
    }
  }
}

/** A lane for each partition. */
class Lanes<A> {
  readonly #subscriber: Subscriber<Delivery<A>>;
  readonly #scheduler: SchedulerLike;
  readonly #lanes = new Map<string, Map<number, Lane<A>>>();
  readonly #toRelease = new Set<Lane<A>>();
  #completed = false;

  constructor(subscriber: Subscriber<Delivery<A>>, scheduler: SchedulerLike) {
    this.#subscriber = subscriber;
    this.#scheduler = scheduler;
  }

  get waiting(): number {
    let waiting = 0;
    for (const ofTopic of this.#lanes.values()) for (const lane of ofTopic.values()) waiting += lane.waiting;
    return waiting;
  }

  of({ topic, partition }: Message): Lane<A> {
    const ofTopic = this.#lanes.get(topic) ?? new Map<number, Lane<A>>();
    this.#lanes.set(topic, ofTopic);
    const lane =
      ofTopic.get(partition) ??
      new Lane<A>(
        marker => this.#subscriber.next(marker),
        waiting => this.#releaseSoon(waiting),
      );
    ofTopic.set(partition, lane);
    return lane;
  }

  complete(): void {
    this.#completed = true;
    if (this.#toRelease.size === 0) this.#subscriber.complete();
  }

  #releaseSoon(lane: Lane<A>): void {
    if (this.#toRelease.add(lane).size > 1) return;
    this.#subscriber.add(this.#scheduler.schedule(() => this.#releaseAll()));
  }

  #releaseAll(): void {
    const lanes = [...this.#toRelease];
    this.#toRelease.clear();
    for (const lane of lanes) lane.release();
    if (this.#completed && this.#toRelease.size === 0) this.#subscriber.complete();
  }
}
