import { of } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';

/** What owners are chosen by: of the members of a group, the one that has all partitions of a topic. */
export interface Ownership {
  readonly topic: string;
  readonly group: string;
}

/**
 * Does the work in one process of all that ask for it, while that one is alive; another takes over where it is not.
 * The work is told by its signal that it is somebody else's now, and must then end soon. Once it has come to its end
 * it stays with whoever did it until `signal` aborts, so that nobody does it again.
 *
 * @param work resolves to whether it has come to its end
 * @returns settles when `signal` aborts
 * @throws what the work throws, having left it to another
 */
export function whileOwner(
  bus: EventBus,
  { topic, group }: Ownership,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const held = new Set<string>();
    let turn = new AbortController();
    let running: Promise<unknown> = Promise.resolve();
    const source = bus.source(topic, {
      group,
      exclusive: true,
      // Nothing is read: the messages are not meant for it.
      pause$: of(true),
      lifecycle: {
        assigned: partitions => {
          const isOwner = held.size > 0;
          for (const { partition } of partitions) held.add(`${topic}/${partition}`);
          if (!isOwner && held.size > 0) begin();
          return of([]);
        },
        revoked: partitions => {
          for (const { partition } of partitions) held.delete(`${topic}/${partition}`);
          if (held.size === 0) turn.abort();
        },
      },
    });
    const stop = (): void => end(undefined);
    const subscription = source.subscribe({ error: end, complete: stop });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();

    function begin(): void {
      const mine = new AbortController();
      turn = mine;
      // What was begun in an earlier turn must have ended.
      running = running.then(() => (mine.signal.aborted ? undefined : work(mine.signal)));
      running.catch(end);
    }

    function end(error: unknown): void {
      signal.removeEventListener('abort', stop);
      turn.abort();
      const settle = (): void => {
        subscription.unsubscribe();
        if (error === undefined) resolve();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
        else reject(error);
      };
      running.then(settle, settle);
    }
  });
}
