import { BehaviorSubject, type Observable } from 'rxjs';
import { type Ok, settlement } from '../core/delivery.ts';
import type { Delivery } from '../core/delivery.ts';
import type { Bytes, Message } from '../core/message.ts';
import type { Handler } from '../core/publisher.ts';
import type { SubscribeOptions, SubscriptionHandle } from './event-bus.ts';

/** Opens a backend's source; what `subscribe` is built on. */
type OpenSource = (options: SubscribeOptions) => Observable<Delivery<Bytes>>;

/**
 * `subscribe` and `subscribeWithFilter` over a source, the same for every backend: returning is the ack,
 * throwing the nack, messages of one key one after the other.
 */
export function subscribeHandler(
  open: OpenSource,
  handler: Handler,
  options: SubscribeOptions,
  accepts: (message: Message) => boolean = () => true,
): SubscriptionHandle {
  const { concurrency = 1, redeliverAfterMs = 1000 } = options;
  const busy = new Map<string, Ok<Bytes>[]>();
  const idle = Promise.withResolvers<undefined>();
  const closed = Promise.withResolvers<undefined>();
  let running = 0;
  const draining$ = new BehaviorSubject(false);

  const run = async (delivery: Ok<Bytes>): Promise<void> => {
    const { message, [settlement]: duty } = delivery;
    try {
      if (accepts(message)) await handler(message, duty.signal);
      duty.ack();
    } catch {
      // The handler's own error: the message comes again, as the contract says.
      duty.nack(redeliverAfterMs);
    }
  };

  const start = (delivery: Ok<Bytes>): void => {
    running++;
    void run(delivery).then(() => finish(delivery));
  };

  const finish = ({ message: { key } }: Ok<Bytes>): void => {
    running--;
    const waiting = key === null ? undefined : busy.get(key);
    const next = waiting?.shift();
    if (next) start(next);
    else if (key !== null) busy.delete(key);
    if (draining$.value && running === 0) idle.resolve(undefined);
  };

  const accept = (delivery: Delivery<Bytes>): void => {
    if (!delivery.ok) return;
    const { key } = delivery.message;
    const waiting = key === null ? undefined : busy.get(key);
    if (waiting) {
      waiting.push(delivery);
      return;
    }
    if (key !== null) busy.set(key, []);
    start(delivery);
  };

  const source = open({
    ...options,
    maxInFlight: options.maxInFlight ?? concurrency,
    pause$: draining$,
  });
  const subscription = source.subscribe({
    next: accept,
    error: (cause: unknown) => closed.reject(cause),
    complete: () => closed.resolve(undefined),
  });
  // Whoever does not look at `closed` is not to be ended by it.
  closed.promise.catch(() => undefined);

  return {
    closed: closed.promise,
    unsubscribe: async () => {
      draining$.next(true);
      if (running > 0) await idle.promise;
      subscription.unsubscribe();
      closed.resolve(undefined);
    },
  };
}
