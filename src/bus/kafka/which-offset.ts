/** The first offset that is there, the next one to be given, or the first at or after a log time, ms. */
export type WhichOffset = 'first' | 'next' | { readonly atMs: number };

/** By which log time the protocol asks for it. */
export function askedTime(which: WhichOffset): number {
  if (which === 'first') return -2;
  return which === 'next' ? -1 : which.atMs;
}
