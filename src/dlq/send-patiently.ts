import type { SchedulerLike } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import type { Backoff } from '../core/backoff.ts';
import type { OutgoingMessage } from '../core/message.ts';
import type { BusError } from '../core/publisher.ts';
import { pause } from './pause.ts';

/** What became of a message: stored, refused for good, or neither, for there was no time left. */
export type SendOutcome = 'stored' | 'not sent' | BusError;

export interface SendOptions {
  readonly backoff: Backoff;
  readonly scheduler: SchedulerLike;
  /** Ends the waiting between attempts. */
  readonly signal: AbortSignal;
}

/** Publishes messages of different keys, and again those that the bus may take later, until it does. */
export async function sendPatiently(
  bus: Pick<EventBus, 'publishBatch'>,
  messages: readonly OutgoingMessage[],
  { backoff, scheduler, signal }: SendOptions,
): Promise<readonly SendOutcome[]> {
  const outcomes = messages.map((): SendOutcome => 'not sent');
  let open = messages.map((message, i) => ({ message, i }));
  for (let attempt = 1; open.length > 0; attempt++) {
    const results = await bus.publishBatch(open.map(({ message }) => message));
    open = open.filter(({ i }, place) => {
      const result = results[place];
      if (result?.ok === false && result.error.retryable) return true;
      if (result !== undefined) outcomes[i] = result.ok ? 'stored' : result.error;
      return false;
    });
    if (open.length > 0) await pause(backoff.delayMs(attempt), scheduler, signal);
    if (signal.aborted) break;
  }
  return outcomes;
}
