import { horizonHours } from './momentum-horizons.ts';
import type { MomentumPart } from './momentum-parts.ts';
import { inWords, percentInWords, priceInWords } from './number-words.ts';
import type { ExitReason } from './signal-value.ts';

function spanInWords(part: MomentumPart): string {
  const hours = horizonHours[part.horizon];
  if (hours === 1) return '1 hour';
  return hours > 24 ? `${hours / 24} days` : `${hours} hours`;
}

/** One contribution in words: `up 5.2 % in 4 hours, 2.3 times its usual range (adds 0.81)`. */
function contributionInWords(part: MomentumPart): string {
  const move = part.return ?? 0;
  const way = move < 0 ? 'down' : 'up';
  const range = `${inWords(Math.abs(part.z ?? 0), 1)} times its usual range`;
  const effect = `${part.contribution < 0 ? 'takes' : 'adds'} ${inWords(Math.abs(part.contribution))}`;
  return `${way} ${percentInWords(Math.abs(move))} in ${spanInWords(part)}, ${range} (${effect})`;
}

/** The three largest contributions, largest first; of equal ones the shorter horizon. */
export function largestContributions(parts: readonly MomentumPart[]): readonly string[] {
  return parts
    .filter(part => part.return !== null && part.weight > 0)
    .toSorted((a, b) => b.contribution - a.contribution)
    .slice(0, 3)
    .map(contributionInWords);
}

/** What an exit says. */
export interface ExitFacts {
  readonly exitReason: ExitReason;
  readonly low: number;
  readonly stopPrice: number;
  readonly score: number;
  readonly exitBelow: number;
  readonly heldHours: number;
}

/** Why an open signal ended. */
export function exitInWords(facts: ExitFacts): string {
  switch (facts.exitReason) {
    case 'stop':
      return `the low ${priceInWords(facts.low)} reached the stop at ${priceInWords(facts.stopPrice)}`;
    case 'momentum lost':
      return `the score fell to ${inWords(facts.score, 1)}, below ${inWords(facts.exitBelow, 1)}`;
    case 'time limit':
      return `held for ${inWords(facts.heldHours, 1)} hours`;
  }
}
