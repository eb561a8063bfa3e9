/** A stream of uniform numbers in [0, 1). */
export type Random = () => number;

/** Spreads integers over 32 bits, so that neighbouring minutes and symbols draw unlike numbers. */
export function mix(seed: number, ...parts: readonly number[]): number {
  let h = seed >>> 0;
  for (const part of parts) {
    h = Math.imul(h ^ part, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    h ^= h >>> 13;
  }
  return h >>> 0;
}

/** Mulberry32: small, fast, and the same on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * About normal, mean 0, deviation 1, within plus or minus 3: the sum of three uniforms. Plain
 * arithmetic only, because `Math.log` and `Math.exp` may differ in the last bit between engines.
 */
export function normal(random: Random): number {
  return (random() + random() + random() - 1.5) * 2;
}

/** Uniform between two bounds. */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** The same values in an order that the random stream decides. */
export function shuffled<A>(values: readonly A[], random: Random): A[] {
  return values
    .map(value => ({ value, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}

/** Rounds to a number of decimals; the result is the double nearest to that decimal. */
export function rounded(value: number, scale: number): number {
  return Math.round(value * scale) / scale;
}
