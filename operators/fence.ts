import { type OperatorFunction, type SchedulerLike, Subject, type Subscriber, asyncScheduler } from 'rxjs';
import { type Delivery, failed, ok, settlement } from '../src/core/delivery.ts';
import { isMarker, markerOf } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { Queue } from '../src/core/queue.ts';
import type { Settlement } from '../src/core/settlement.ts';
import { stage } from '../src/core/stage.ts';

export interface FenceOptions {
  /** Default `fence`. */
  readonly name?: string;
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
  section: OperatorFunction<Delivery<A>, Delivery<B>>,
  { name = 'fence', scheduler = asyncScheduler }: FenceOptions = {},
): OperatorFunction<Delivery<A>, Delivery<A | B>> {
  return stage(name, (subscriber: Subscriber<Delivery<A | B>>) => {
    const inside$ = new Subject<Delivery<A>>();
    const lanes = new Lanes<A | B>(subscriber, scheduler);
    const section$ = section(inside$).subscribe({
      next: delivery => {
        subscriber.next(delivery);
        lanes.left(delivery.message);
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => lanes.complete(),
    });
    return {
      next: (delivery: Delivery<A>) => {
        if (isMarkerDelivery(delivery)) lanes.hold(delivery);
        else inside$.next(lanes.enter(delivery));
      },
      complete: () => inside$.complete(),
      teardown: () => {
        section$.unsubscribe();
        lanes.stop();
      },
    };
  });
}

function isMarkerDelivery(delivery: Delivery<unknown>): boolean {
  return delivery.ok && (isMarker(delivery.value) || markerOf(delivery.message) !== undefined);
}

/** A delivery inside the section, or a marker beside it. */
interface Entry<A> {
  left: boolean;
  /** Once it has been taken back, its section forgets it. */
  readonly duty: Settlement;
  readonly marker: Delivery<A> | undefined;
}

/** Who is in the section and which markers wait for them, partition by partition. */
class Lanes<A> {
  readonly #subscriber: Subscriber<Delivery<A>>;
  readonly #scheduler: SchedulerLike;
  readonly #lanes = new Map<string, Map<number, Queue<Entry<A>>>>();
  readonly #inside = new Map<Message, Entry<A>>();
  readonly #release = new Set<Queue<Entry<A>>>();
  #isReleasing = false;
  #completed = false;
  #stopped = false;

  constructor(subscriber: Subscriber<Delivery<A>>, scheduler: SchedulerLike) {
    this.#subscriber = subscriber;
    this.#scheduler = scheduler;
  }

  /** The delivery as the section gets it: its settling is heard of. */
  enter<V>(delivery: Delivery<V>): Delivery<V> {
    const { message, [settlement]: duty } = delivery;
    const entry: Entry<A> = { left: false, duty, marker: undefined };
    this.#inside.set(message, entry);
    this.#laneOf(message).push(entry);
    const heard = new HeardSettlement(duty, () => this.left(message));
    return delivery.ok ? ok(delivery.value, message, heard) : failed(delivery.failure, message, heard);
  }

  /** Something of the delivery has come out, or it has been settled. */
  left(message: Message): void {
    const entry = this.#inside.get(message);
    if (entry === undefined) return;
    this.#inside.delete(message);
    entry.left = true;
    const lane = this.#laneOf(message);
    this.#drop(lane);
    // More of the same delivery may be about to come out: the marker waits until that is over.
    if (lane.peek()?.marker !== undefined) this.#releaseSoon(lane);
  }

  hold(marker: Delivery<A>): void {
    const lane = this.#laneOf(marker.message);
    this.#drop(lane);
    if (lane.size === 0) this.#subscriber.next(marker);
    else lane.push({ left: false, duty: marker[settlement], marker });
  }

  complete(): void {
    this.#completed = true;
    if (this.#release.size === 0) this.#subscriber.complete();
  }

  stop(): void {
    this.#stopped = true;
    this.#lanes.clear();
    this.#inside.clear();
    this.#release.clear();
  }

  /** Forgets those in front that have left, or were taken back. */
  #drop(lane: Queue<Entry<A>>): void {
    for (let front = lane.peek(); front?.left === true || front?.duty.revoked === true; front = lane.peek()) {
      lane.shift();
    }
  }

  #releaseSoon(lane: Queue<Entry<A>>): void {
    this.#release.add(lane);
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    this.#scheduler.schedule(() => this.#releaseAll());
  }

  #releaseAll(): void {
    this.#isReleasing = false;
    if (this.#stopped) return;
    for (const lane of [...this.#release]) {
      this.#release.delete(lane);
      this.#drop(lane);
      for (let front = lane.peek(); front?.marker !== undefined; front = lane.peek()) {
        lane.shift();
        this.#subscriber.next(front.marker);
        this.#drop(lane);
      }
    }
    if (this.#completed && this.#release.size === 0) this.#subscriber.complete();
  }

  #laneOf({ topic, partition }: Message): Queue<Entry<A>> {
    const ofTopic = this.#lanes.get(topic) ?? new Map<number, Queue<Entry<A>>>();
    this.#lanes.set(topic, ofTopic);
    const lane = ofTopic.get(partition) ?? new Queue<Entry<A>>();
    ofTopic.set(partition, lane);
    return lane;
  }
}

/** A duty that tells when it is settled. */
class HeardSettlement implements Settlement {
  readonly #duty: Settlement;
  readonly #settled: () => void;

  constructor(duty: Settlement, settled: () => void) {
    this.#duty = duty;
    this.#settled = settled;
  }

  get attempt(): number {
    return this.#duty.attempt;
  }

  get revoked(): boolean {
    return this.#duty.revoked;
  }

  get signal(): AbortSignal {
    return this.#duty.signal;
  }

  ack(): void {
    this.#duty.ack();
    this.#settled();
  }

  nack(delayMs?: number): void {
    this.#duty.nack(delayMs);
    this.#settled();
  }
}
