import type { Observer, SchedulerLike, Subscription } from 'rxjs';
import { type Delivery, type Ok, ok, settlement } from '../src/core/delivery.ts';
import { Queue } from '../src/core/queue.ts';
import type { Settlement } from '../src/core/settlement.ts';
import { WatchedSettlement, visitWatched } from '../src/core/watched-settlement.ts';
import { steadyNow } from '../src/core/steady-clock.ts';

/** How often to look for places of deliveries that were taken back and that the section forgot, ms. */
const sweepMs = 100;

export interface CompartmentBounds {
  /** Places, per compartment. */
  readonly concurrency: number;
  /** Who may wait for a place, per compartment. */
  readonly maxWaiting: number;
  readonly maxCompartments: number;
}

interface Compartment<A> {
  readonly name: string;
  /** How many have a place. */
  inside: number;
  /** Most never need it. */
  queue: Queue<Ok<A>> | undefined;
  /** Places are being given away. */
  filling: boolean;
}

/** The compartments of a bulkhead: who is in the section, and who waits for a place there. */
export class Compartments<A> {
  readonly #entrance: Observer<Delivery<A>>;
  readonly #bounds: CompartmentBounds;
  readonly #refuse: (delivery: Ok<A>, reason: string, limit: number) => void;
  readonly #scheduler: SchedulerLike;
  readonly #compartments = new Map<string, Compartment<A>>();
  readonly #inside = new Map<WatchedSettlement, Compartment<A>>();
  readonly #visit = (duty: WatchedSettlement): void => this.free(duty);
  #sweep: Subscription | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #completed = false;
  #waiting = 0;

  constructor(
    entrance: Observer<Delivery<A>>,
    bounds: CompartmentBounds,
    refuse: (delivery: Ok<A>, reason: string, limit: number) => void,
    scheduler: SchedulerLike,
  ) {
    this.#entrance = entrance;
    this.#bounds = bounds;
    this.#refuse = refuse;
    this.#scheduler = scheduler;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Lets the delivery in, lets it wait, or refuses it. */
  accept(name: string, delivery: Ok<A>): void {
    const { concurrency, maxWaiting, maxCompartments } = this.#bounds;
    const compartment = this.#compartments.get(name) ?? this.#open(name);
    const waiting = compartment?.queue?.size ?? 0;
    if (compartment === undefined) {
      const reason = `${this.#compartments.size} compartments are in use already: raise maxCompartments`;
      this.#refuse(delivery, reason, maxCompartments);
    } else if (compartment.inside < concurrency && waiting === 0) {
      this.#admit(compartment, delivery);
    } else if (waiting < maxWaiting) {
      this.#wait(compartment, delivery);
    } else if (this.#forgetTakenBack()) {
      this.accept(name, delivery);
    } else {
      const reason = `${waiting} deliveries wait already: send less, or raise concurrency or maxWaiting`;
      this.#refuse(delivery, reason, maxWaiting);
    }
  }

  /** An output with this duty has come out of the section. */
  leave(duty: Settlement): void {
    visitWatched(duty, this.#visit);
  }

  /** The delivery with this duty, if it has a place, needs it no more. */
  free(duty: WatchedSettlement): void {
    const compartment = this.#inside.get(duty);
    if (compartment === undefined) return;
    this.#inside.delete(duty);
    compartment.inside--;
    this.#fill(compartment);
  }

  complete(): void {
    this.#completed = true;
    if (this.#waiting === 0) this.#entrance.complete();
  }

  /** Forgets who waits. */
  stop(): void {
    this.#sweep?.unsubscribe();
    this.#compartments.clear();
    this.#inside.clear();
    this.#waiting = 0;
  }

  /** A new compartment; undefined: there is no room for one. */
  #open(name: string): Compartment<A> | undefined {
    const isFull = (): boolean => this.#compartments.size >= this.#bounds.maxCompartments;
    if (isFull()) this.#forgetTakenBack();
    if (isFull()) return undefined;
    const opened = { name, inside: 0, queue: undefined, filling: false };
    this.#compartments.set(name, opened);
    return opened;
  }

  #admit(compartment: Compartment<A>, { value, message, [settlement]: parent }: Ok<A>): void {
    const duty = new PlacedDuty(parent, this);
    compartment.inside++;
    this.#inside.set(duty, compartment);
    this.#entrance.next(ok(value, message, duty));
  }

  #wait(compartment: Compartment<A>, delivery: Ok<A>): void {
    compartment.queue ??= new Queue();
    compartment.queue.push(delivery);
    this.#waiting++;
    this.#sweep ??= this.#scheduleSweep();
  }

  /** Gives free places to who waits. Who comes out at once comes back here: the loop goes on, the stack stays flat. */
  #fill(compartment: Compartment<A>): void {
    if (compartment.filling) return;
    compartment.filling = true;
    while (compartment.inside < this.#bounds.concurrency) {
      const next = compartment.queue?.shift();
      if (next === undefined) break;
      this.#waiting--;
      if (!next[settlement].revoked) this.#admit(compartment, next);
    }
    compartment.filling = false;
    if (compartment.inside === 0) this.#compartments.delete(compartment.name);
    if (this.#completed && this.#waiting === 0) this.#entrance.complete();
  }

  #scheduleSweep(): Subscription {
    return this.#scheduler.schedule(() => {
      this.#sweep = undefined;
      this.#forgetTakenBack();
      if (this.#waiting > 0) this.#sweep ??= this.#scheduleSweep();
    }, sweepMs);
  }

  /**
   * A section drops what is taken back while it waits there, and nobody hears of it. Being told would cost a
   * signal for each delivery, so this looks now and then. True: a place became free.
   */
  #forgetTakenBack(): boolean {
    const now = steadyNow(this.#scheduler);
    if (now - this.#sweptAt < sweepMs) return false;
    this.#sweptAt = now;
    const takenBack = [...this.#inside.keys()].filter(duty => duty.revoked);
    for (const duty of takenBack) this.free(duty);
    return takenBack.length > 0;
  }
}

/** The duty of a delivery that has a place. */
class PlacedDuty extends WatchedSettlement {
  readonly #places: { free(duty: WatchedSettlement): void };

  constructor(parent: Settlement, places: { free(duty: WatchedSettlement): void }) {
    super(parent);
    this.#places = places;
  }

  protected settling(): void {
    this.#places.free(this);
  }
}
