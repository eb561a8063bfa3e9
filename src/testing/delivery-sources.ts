import { Observable } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { type Delivery, failed, ok } from '../core/delivery.ts';
import { Given, givenFailure } from './given.ts';
import { type MessageSpec, messageOf } from './message-builder.ts';
import type { SettlementLedger } from './settlement-ledger.ts';

/** What the letters of a source mean: values, or deliveries described in full. */
export type Givens<A> = Readonly<Record<string, A | Given<A>>>;

/** A source of deliveries whose subscriptions can be asserted. */
export type DeliverySource<A> = Observable<Delivery<A>> & {
  readonly subscriptions: SubscriptionLogs;
};

/** As the test scheduler keeps them. */
type SubscriptionLogs = ReturnType<TestScheduler['createColdObservable']>['subscriptions'];

/** The marbles of the test scheduler, as far as a source needs them. */
type Letters = Observable<string> & { readonly subscriptions: SubscriptionLogs };

/** Makes sources of deliveries from marbles, each delivery with a line in the ledger. */
export class DeliverySources {
  readonly #scheduler: TestScheduler;
  readonly #ledger: SettlementLedger;
  #sources = 0;

  constructor(scheduler: TestScheduler, ledger: SettlementLedger) {
    this.#scheduler = scheduler;
    this.#ledger = ledger;
  }

  cold<A>(marbles: string, values?: Givens<A>, error?: unknown): DeliverySource<A> {
    return this.#source(this.#scheduler.createColdObservable(marbles, undefined, error), values);
  }

  hot<A>(marbles: string, values?: Givens<A>, error?: unknown): DeliverySource<A> {
    return this.#source(this.#scheduler.createHotObservable(marbles, undefined, error), values);
  }

  /** As a real source, it takes back what is in flight when it fails or is unsubscribed from. */
  #source<A>(letters: Letters, values: Givens<A> | undefined): DeliverySource<A> {
    const topic = `source-${++this.#sources}`;
    const source = new Observable<Delivery<A>>(subscriber => {
      const made: { takeBack(): void }[] = [];
      let completed = false;
      let offset = 0;
      subscriber.add(() => {
        if (!completed) for (const duty of made) duty.takeBack();
      });
      return letters.subscribe({
        next: letter => {
          const { delivery, duty } = this.#delivery(letter, values, { topic, offset: offset++ });
          made.push(duty);
          subscriber.next(delivery);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          completed = true;
          subscriber.complete();
        },
      });
    });
    return Object.assign(source, { subscriptions: letters.subscriptions });
  }

  #delivery<A>(
    letter: string,
    values: Givens<A> | undefined,
    place: MessageSpec,
  ): { readonly delivery: Delivery<A>; readonly duty: { takeBack(): void } } {
    const { content, message: spec, attempt } = meaningOf(letter, values);
    const duty = this.#ledger.open(letter, attempt);
    const payload = 'value' in content ? payloadOf(content.value) : '';
    const message = messageOf({ ...place, key: letter, timestamp: this.#scheduler.frame, payload, ...spec });
    const delivery =
      'value' in content ? ok(content.value, message, duty) : failed(content.failure, message, duty);
    return { delivery, duty };
  }
}

/** `F` is a failure unless the test says otherwise; without values a letter is its own value. */
function meaningOf<A>(letter: string, values: Givens<A> | undefined): Given<A> {
  if (values === undefined || !(letter in values)) {
    if (letter === 'F') return givenFailure();
    if (values !== undefined) throw new RangeError(`marble "${letter}" has no value: name it in the values`);
    return new Given({ value: letter as A }, {}, 1);
  }
  const value = values[letter] as A | Given<A>;
  return isGiven(value) ? value : new Given({ value }, {}, 1);
}

function isGiven<A>(value: A | Given<A>): value is Given<A> {
  return value instanceof Given;
}

/** Bytes are their own payload; another value's is its JSON text. */
function payloadOf(value: unknown): Uint8Array | string | null {
  if (value === null || value instanceof Uint8Array) return value;
  return value === undefined ? '' : JSON.stringify(value);
}
