import { availableParallelism } from 'node:os';
import { type Mutant, mutants } from './mutants.ts';
import { type PropertyName, properties } from './properties.ts';
import { SourceCopy, type Tried } from './source-copy.ts';

/**
 * Shows of each property that carries the design that it finds the faults it is there to find: each mutant, a small
 * patch, is applied to a copy of the sources, and the property must fail there. `npm run mutants`, with words of the
 * names of those wanted, or without for all.
 */
async function main(words: readonly string[]): Promise<void> {
  const chosen = mutants.filter(({ name, property }) =>
    words.every(word => `${name} ${property}`.includes(word)),
  );
  if (chosen.length === 0) throw new Error(`no mutant and no property is named after ${words.join(' ')}`);
  const guards = [...new Set(chosen.map(({ property }) => property))];
  const trials = [
    ...guards.map(guard => trialOf(guard)),
    ...chosen.map(mutant => trialOf(mutant.property, mutant)),
  ];
  const survived = await inParallel(trials);
  console.log(`${chosen.length - survived} of ${chosen.length} mutants killed`);
  if (survived > 0) process.exitCode = 1;
}

/** What is to be tried in a copy of the sources; resolves to whether it went as it must. */
type Trial = (copy: SourceCopy) => Promise<boolean>;

function trialOf(name: PropertyName, mutant?: Mutant): Trial {
  return async copy => {
    const property = properties[name];
    const result = mutant
      ? await copy.mutated(mutant, () => copy.try(property, property.runs))
      : await copy.try(property);
    const isAsWanted = result.outcome === (mutant ? 'failed' : 'held');
    show(mutant?.name ?? '(none)', name, mutant, result);
    if (!isAsWanted && result.outcome !== 'held') console.log(result.output);
    return isAsWanted;
  };
}

function show(mutant: string, property: string, isMutant: unknown, { outcome, seconds }: Tried): void {
  const words = isMutant
    ? { held: 'SURVIVED', failed: 'killed', broken: 'BROKEN' }
    : { held: 'held', failed: 'FAILED', broken: 'BROKEN' };
  console.log(
    `${mutant.padEnd(62)} ${property.padEnd(30)} ${words[outcome].padEnd(8)} ${seconds.toFixed(1)} s`,
  );
}

/** One copy of the sources for each processor; how many trials did not go as they must. */
async function inParallel(trials: readonly Trial[]): Promise<number> {
  const waiting = [...trials];
  let bad = 0;
  const work = async (): Promise<void> => {
    const copy = new SourceCopy();
    try {
      for (let trial = waiting.shift(); trial; trial = waiting.shift()) if (!(await trial(copy))) bad++;
    } finally {
      copy.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  return bad;
}

await main(process.argv.slice(2));
