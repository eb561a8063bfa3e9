import { setImmediate as turn } from 'node:timers/promises';
import type { Observable } from 'rxjs';
import type { Delivery, Ok } from '../core/delivery.ts';
import type { Bytes } from '../core/message.ts';

/**
 * A source at the pace of who reads it: whatever has come since the last time, as one batch. The source's credits
 * bound what waits; a source that is to end needs its deliveries settled before the next batch is asked for. Between
 * batches the process gets to do other things, however fast the source is.
 *
 * @param signal ends it, between batches or while it waits for one
 */
export async function* batchesOf(
  source$: Observable<Delivery<Bytes>>,
  signal?: AbortSignal,
): AsyncGenerator<readonly Ok<Bytes>[]> {
  let waiting: Ok<Bytes>[] = [];
  let ended = signal?.aborted === true;
  let failure: { readonly cause: unknown } | undefined;
  let wake: () => void = () => undefined;
  const end = (): void => {
    ended = true;
    wake();
  };
  signal?.addEventListener('abort', end);
  const subscription = source$.subscribe({
    next: delivery => {
      if (delivery.ok) waiting.push(delivery);
      wake();
    },
    error: (cause: unknown) => {
      failure = { cause };
      wake();
    },
    complete: end,
  });
  try {
    for (;;) {
      // TypeScript does not see that the callbacks change these.
      const now = { waiting, ended, failure, aborted: signal?.aborted === true };
      if (now.failure !== undefined) throw now.failure.cause;
      if (now.aborted || (now.ended && now.waiting.length === 0)) return;
      if (now.waiting.length > 0) {
        waiting = [];
        yield now.waiting;
        await turn();
      } else {
        await new Promise<void>(resolve => (wake = resolve));
      }
    }
  } finally {
    signal?.removeEventListener('abort', end);
    subscription.unsubscribe();
  }
}
