import type { LossCounts } from './live-state.ts';
import { counted, plural } from './readable.ts';

/** How many dead letters there are and, where the feed has left some, whose: the table of pipelines has not those. */
export function deadLettersText({ deadLetters, feedDeadLetters }: LossCounts): string {
  const all = plural(deadLetters, 'dead letter');
  if (feedDeadLetters === 0) return all;
  if (feedDeadLetters === deadLetters) return `${all} of the feed`;
  return `${all}: ${counted(deadLetters - feedDeadLetters)} of pipelines, ${counted(feedDeadLetters)} of the feed`;
}

/** How often circuits have opened: one that is closed again by now is still told. */
export function circuitsOpenedText(openings: number): string {
  return `circuits opened ${plural(openings, 'time')}`;
}
