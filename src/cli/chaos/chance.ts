/**
 * A number from 0 to below 1 that depends on nothing but its texts: the same seed goes wrong at the same messages,
 * in whatever order they come. FNV-1a with a final mix.
 */
export function chance(seed: string, subject: string): number {
  let hash = 0x811c9dc5;
  for (const text of [seed, '|', subject]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
