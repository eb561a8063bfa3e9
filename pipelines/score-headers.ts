import type { Message } from '../src/index.ts';
import type { MomentumScore } from './momentum-value.ts';
import { type SymbolAtVenue, stateKey } from './symbol-key.ts';

const scoreHeader = 'momentum-score';
const venueHeader = 'venue';

/** What headers tell of a score, rounded up, so that whoever wants high ones need not read the others. */
export function toldOf({ score, venue }: MomentumScore): Readonly<Record<string, string>> {
  return { [scoreHeader]: String(Math.ceil(score)), [venueHeader]: venue };
}

/** Whether the score of a message may be this high; where no header tells, it may. */
export function mayBeAtLeast({ headers }: Pick<Message, 'headers'>, score: number): boolean {
  const told = headers.get(scoreHeader);
  return told === undefined || Number(told) >= score;
}

/** The key of state of a message's score, which is only read where no header tells. */
export function stateKeyTold({ headers, key }: Message, score: { readonly value: SymbolAtVenue }): string {
  const venue = headers.get(venueHeader);
  return stateKey(venue === undefined || key === null ? score.value : { venue, symbol: key });
}
