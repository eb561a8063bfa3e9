import { CliError } from '../cli-error.ts';
import type { LetterSummary } from './letter-answers.ts';
import { type LetterSource, lettersOf } from './letter-pages.ts';

/** As many are named where several begin alike. */
const maxNamed = 5;
const wholeId = 32;

/** The one letter whose id is, or begins with, a text. @throws CliError where there is none, or several */
export async function findLetter(
  source: Omit<LetterSource, 'selection'>,
  id: string,
): Promise<LetterSummary> {
  const found = new Map<string, LetterSummary>();
  for await (const letter of lettersOf({ ...source, selection: { id } })) {
    if (!found.has(letter.id)) found.set(letter.id, letter);
    if (found.size >= maxNamed || id.length === wholeId) break;
  }
  const [first, second] = found.values();
  if (first === undefined)
    throw new CliError(2, `There is no letter in ${source.topic} whose id begins with "${id}".`);
  if (second === undefined) return first;
  const ids = [...found.keys()].map(one => `  ${one}`);
  throw new CliError(2, [`Several letters begin with "${id}":`, ...ids].join('\n'));
}
