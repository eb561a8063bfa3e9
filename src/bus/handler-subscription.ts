import { BehaviorSubject, type Observable, combineLatest, map, of } from 'rxjs';
import { type Delivery, type Ok, settlement } from '../core/delivery.ts';
import type { Bytes, Message } from '../core/message.ts';
import { isAddressedTo } from '../core/message-history.ts';
import type { Handler } from '../core/publisher.ts';
import { Queue } from '../core/queue.ts';
import type { SubscribeOptions, SubscriptionHandle } from './event-bus.ts';

/** Opens a backend's source; what `subscribe` is built on. */
type OpenSource = (options: SubscribeOptions) => Observable<Delivery<Bytes>>;

/**
 * `subscribe` and `subscribeWithFilter` over a source, the same for every backend: returning is the ack,
 * throwing the nack, messages of one key one after the other. What is addressed to another group is acked.
 */
export function subscribeHandler(
  open: OpenSource,
  handler: Handler,
  options: SubscribeOptions,
  accepts: (message: Message) => boolean = () => true,
): SubscriptionHandle {
  const isMeant = (message: Message): boolean => isAddressedTo(options.group, message) && accepts(message);
  const runner = new HandlerRunner(handler, options, isMeant);
  const closed = Promise.withResolvers<undefined>();
  const subscription = open({
    ...options,
    maxInFlight: options.maxInFlight ?? runner.concurrency,
    pause$: combineLatest([runner.draining$, options.pause$ ?? of(false)]).pipe(
      map(([draining, paused]) => draining || paused),
    ),
  }).subscribe({
    next: delivery => runner.take(delivery),
    error: (cause: unknown) => closed.reject(cause),
    complete: () => closed.resolve(undefined),
  });
  // Whoever does not look at `closed` is not to be ended by it.
  closed.promise.catch(() => undefined);

  return {
    closed: closed.promise,
    unsubscribe: async () => {
      await runner.drain();
      subscription.unsubscribe();
      closed.resolve(undefined);
    },
  };
}

/** Runs a handler for deliveries: so many at once, those of one key one after the other. */
class HandlerRunner {
  readonly concurrency: number;
  readonly draining$ = new BehaviorSubject(false);
  readonly #handler: Handler;
  readonly #accepts: (message: Message) => boolean;
  readonly #redeliverAfterMs: number;
  /** Deliveries whose key is free, and by key those behind one that runs or waits there. */
  readonly #ready = new Queue<Ok<Bytes>>();
  readonly #behind = new Map<string, Queue<Ok<Bytes>>>();
  readonly #idle = Promise.withResolvers<undefined>();
  #running = 0;

  constructor(
    handler: Handler,
    { concurrency = 1, redeliverAfterMs = 1000 }: SubscribeOptions,
    accepts: (message: Message) => boolean,
  ) {
    this.#handler = handler;
    this.#accepts = accepts;
    this.#redeliverAfterMs = redeliverAfterMs;
    this.concurrency = concurrency;
  }

  take(delivery: Delivery<Bytes>): void {
    if (!delivery.ok) return;
    const { key } = delivery.message;
    const behind = key === null ? undefined : this.#behind.get(key);
    if (behind) {
      behind.push(delivery);
      return;
    }
    if (key !== null) this.#behind.set(key, new Queue());
    this.#ready.push(delivery);
    this.#startNext();
  }

  /** Starts nothing more and waits for what runs. */
  async drain(): Promise<void> {
    this.draining$.next(true);
    if (this.#running > 0) await this.#idle.promise;
  }

  #startNext(): void {
    while (!this.draining$.value && this.#running < this.concurrency) {
      const delivery = this.#ready.shift();
      if (delivery === undefined) return;
      this.#running++;
      void this.#run(delivery).then(() => this.#finished(delivery));
    }
  }

  async #run({ message, [settlement]: duty }: Ok<Bytes>): Promise<void> {
    // Taken back while it waited: it comes again, behind the message for whose sake that was done.
    if (duty.revoked) return;
    try {
      if (this.#accepts(message)) await this.#handler(message, duty.signal);
      duty.ack();
    } catch {
      // The handler's own error: the message comes again, as the contract says.
      duty.nack(this.#redeliverAfterMs);
    }
  }

  #finished({ message: { key } }: Ok<Bytes>): void {
    this.#running--;
    const next = key === null ? undefined : this.#behind.get(key)?.shift();
    if (next) this.#ready.push(next);
    else if (key !== null) this.#behind.delete(key);
    this.#startNext();
    if (this.draining$.value && this.#running === 0) this.#idle.resolve(undefined);
  }
}
