import type { Bytes } from '../../core/message.ts';

/** What a message costs in memory beside its payload, bytes: the object, its headers, its place. */
const overheadBytes = 500;

/** What a message costs in memory, bytes: what senders are let in by and what a partition in memory counts. */
export function costOf({ payload }: { readonly payload: Bytes }): number {
  return (payload?.length ?? 0) + overheadBytes;
}
