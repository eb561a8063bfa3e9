import type { Observer, SchedulerLike, Subscriber, Subscription } from 'rxjs';
import { type Delivery, type Ok, fail, ok, settlement } from '../src/core/delivery.ts';
import type { CircuitOpenFailure, Failure } from '../src/core/failure.ts';
import { Queue } from '../src/core/queue.ts';
import type { Circuit, CircuitState } from './circuit.ts';
import { Passage, type PassageWatcher, passagesOf } from './circuit-passage.ts';

export interface GateOptions {
  readonly name: string;
  readonly whenOpen: 'wait' | 'fail';
  readonly counts: (failure: Failure) => boolean;
  readonly scheduler: SchedulerLike;
}

/** Below so many there is no need to look for who was taken back. */
const sweepFrom = 1024;

/** The way into a section and out of it: holds back what the circuit does not admit, tells it what comes out. */
export class CircuitGate<A, B> implements PassageWatcher {
  readonly #circuit: Circuit;
  readonly #subscriber: Subscriber<Delivery<B>>;
  readonly #entrance: Observer<Delivery<A>>;
  readonly #options: GateOptions;
  readonly #queue = new Queue<Ok<A>>();
  /** Of a half-open circuit, what holds a place. */
  readonly #inside = new Set<Passage>();
  #sweepAt = sweepFrom;
  #completed = false;
  #admitting = false;
  #wakes = false;
  #timer: Subscription | undefined;

  constructor(
    circuit: Circuit,
    subscriber: Subscriber<Delivery<B>>,
    entrance: Observer<Delivery<A>>,
    options: GateOptions,
  ) {
    this.#circuit = circuit;
    this.#subscriber = subscriber;
    this.#entrance = entrance;
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** A delivery on its way into the section. */
  accept(delivery: Delivery<A>): void {
    if (!delivery.ok) this.#subscriber.next(delivery);
    else if (this.#circuit.calm && this.#queue.size === 0) this.#entrance.next(delivery);
    else if (this.#options.whenOpen === 'fail' && !this.#hasPlace) this.#refuse(delivery);
    else {
      this.#wait(delivery);
      this.#admit();
    }
  }

  /** The source has no more. */
  complete(): void {
    this.#completed = true;
    this.#admit();
  }

  /** An output of the section. */
  leave(output: Delivery<B>): void {
    if (this.#circuit.calm && output.ok) this.#circuit.succeeded();
    else this.#judge(output);
    if (this.#queue.size === 0) this.#subscriber.next(output);
    else this.#passBeforeAdmitting(output);
  }

  settling(passage: Passage, outcome: 'acked' | 'nacked'): void {
    this.#inside.delete(passage);
    // The first that is heard of it, so it was the section that settled it.
    const tells = passage.end() && passage.round === this.#circuit.round;
    if (tells && outcome === 'acked') this.#circuit.succeeded();
  }

  settled(): void {
    if (this.#queue.size > 0) this.#admit();
  }

  /** No failure for good, so it counts only for who asks whether all is well again. */
  wentRound(passage: Passage, failure: Failure | undefined): void {
    this.#out(passage);
    const { round, state } = this.#circuit;
    if (state !== 'half-open' || passage.round !== round || failure === undefined) return;
    if (this.#counts(failure)) this.#circuit.failed(failure);
  }

  takenBack(passage: Passage): void {
    passage.end();
    this.#inside.delete(passage);
    this.#admitSoon();
  }

  /** The circuit has changed: who is inside goes on to its end, and no longer counts. */
  changed(to: CircuitState): void {
    this.#forgetPlaces();
    // The others changed with an output or a settlement, which lets in what waits when it is through.
    if (to === 'half-open') this.#admit();
  }

  close(): void {
    this.#timer?.unsubscribe();
    this.#queue.clear();
    this.#forgetPlaces();
  }

  get #hasPlace(): boolean {
    return this.#inside.size < this.#circuit.limit;
  }

  /** Lets in what waits, as far as the circuit has places. */
  #admit(): void {
    // What a section settles at once comes back here: the loop goes on with the next, the stack stays flat.
    if (this.#admitting) return;
    this.#admitting = true;
    while (this.#hasPlace) {
      const first = this.#queue.shift();
      if (first === undefined) break;
      if (!first[settlement].revoked) this.#enter(first);
    }
    this.#admitting = false;
    if (this.#completed && this.#queue.size === 0) this.#entrance.complete();
  }

  /** What is let in may come out at once, and must not overtake. */
  #passBeforeAdmitting(output: Delivery<B>): void {
    const admits = this.#admitting;
    this.#admitting = true;
    this.#subscriber.next(output);
    this.#admitting = admits;
    this.#admit();
  }

  #forgetPlaces(): void {
    for (const passage of this.#inside) passage.unwatch();
    this.#inside.clear();
  }

  /** Not at once: a source that takes deliveries back is still at it, and may take back what waits. */
  #admitSoon(): void {
    if (this.#wakes) return;
    this.#wakes = true;
    this.#timer = this.#options.scheduler.schedule(() => {
      this.#wakes = false;
      this.#admit();
    });
  }

  #wait(delivery: Ok<A>): void {
    this.#queue.push(delivery);
    if (this.#queue.size >= this.#sweepAt) this.#sweep();
  }

  /** Drops who was taken back: they come again, and would fill the queue past the source's credits. */
  #sweep(): void {
    for (let left = this.#queue.size; left > 0; left--) {
      const delivery = this.#queue.shift();
      if (delivery?.[settlement].revoked === false) this.#queue.push(delivery);
    }
    this.#sweepAt = Math.max(sweepFrom, this.#queue.size * 2);
  }

  #enter(delivery: Ok<A>): void {
    if (this.#circuit.calm) {
      this.#entrance.next(delivery);
      return;
    }
    const passage = new Passage(delivery[settlement], this, this.#circuit.round);
    if (this.#circuit.state === 'half-open') {
      this.#inside.add(passage);
      passage.watch();
    }
    this.#entrance.next(ok(delivery.value, delivery.message, passage));
  }

  #judge(output: Delivery<B>): void {
    const { round, state } = this.#circuit;
    const passages = passagesOf(output[settlement], this).filter(passage => passage.round === round);
    const isFirst = passages.filter(passage => this.#out(passage)).length > 0;
    // Half-open, only what went in since then tells how things are.
    const tells = state === 'closed' || (output.ok ? isFirst : passages.length > 0);
    if (!tells) return;
    if (output.ok) this.#circuit.succeeded();
    else if (this.#counts(output.failure)) this.#circuit.failed(output.failure);
  }

  /** One that has come out gives its place free; true the first time. */
  #out(passage: Passage): boolean {
    this.#inside.delete(passage);
    return passage.end();
  }

  #counts(failure: Failure): boolean {
    try {
      return this.#options.counts(failure);
    } catch (error) {
      this.#subscriber.error(error);
      return false;
    }
  }

  #refuse(delivery: Ok<A>): void {
    const { name, scheduler } = this.#options;
    const now = scheduler.now();
    const failure: CircuitOpenFailure = {
      tag: 'circuit-open',
      stage: name,
      reason: `the circuit is ${this.#circuit.state}: too much failed before`,
      attempts: delivery[settlement].attempt,
      firstAt: now,
      lastAt: now,
      retryable: true,
    };
    this.#subscriber.next(fail(delivery, failure));
  }
}
