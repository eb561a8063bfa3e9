import type { OutgoingMessage } from '../core/message.ts';

/** What a message costs in memory beside its payload, bytes: object, place, and headers and key as they mostly are. */
const overheadBytes = 500;
/** Letters of headers and key that are in that. */
const usualLetters = 400;

/** What a message costs in memory, bytes: senders and readers are let in by it, and partitions in memory count it. */
export function costOf({
  payload,
  key,
  headers,
}: Pick<OutgoingMessage, 'payload' | 'key' | 'headers'>): number {
  const letters = (key?.length ?? 0) + (headers?.length ?? 0);
  return (payload?.length ?? 0) + overheadBytes + Math.max(0, letters - usualLetters);
}
