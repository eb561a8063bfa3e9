import type { Parameters } from 'fast-check';

/** What a property that carries the design is run with. */
export type PropertyRuns = Required<Pick<Parameters<unknown>, 'numRuns' | 'seed' | 'endOnFailure'>>;

/**
 * So many runs, or as many as `RUNS` says, from the seed `SEED` or a fresh one. A failure tells its seed, whatever it
 * was; who asks for runs of their own is told it in any case. With `SHRINK=no` the first failure will do.
 */
export function propertyRuns(numRuns: number): PropertyRuns {
  const { RUNS = '', SEED, SHRINK } = process.env;
  const seed = SEED === undefined ? Date.now() ^ (Math.random() * 0x1_0000_0000) : Number(SEED);
  if (RUNS !== '') console.log(`RUNS=${RUNS} SEED=${seed}`);
  return { numRuns: RUNS === '' ? numRuns : Number(RUNS), seed, endOnFailure: SHRINK === 'no' };
}
