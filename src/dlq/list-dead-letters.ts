import type { EventBus } from '../bus/event-bus.ts';
import type { DeadLetter } from '../core/dead-letter.ts';
import { GroupTally } from './group-tally.ts';
import type { LetterGroup } from './letter-group.ts';
import { type LetterSelection, isSelected } from './letter-selection.ts';
import { type ScanOptions, scanLetters } from './scan-letters.ts';

export interface ListOptions extends ScanOptions {
  /** Letters at most; default: all. */
  readonly limit?: number;
}

/**
 * The dead letters that a selection means, oldest first within each partition, in bounded memory: nothing is read
 * before it is asked for. From the dead-letter topic, or another that `topic` names: the quarantine holds letters too.
 *
 * @example
 * for await (const letter of listDeadLetters(bus, { pipeline: 'bars' }, { limit: 10 })) {
 *   console.log(letter.id, letter.reason);
 * }
 *
 * @throws BusError `topic-not-found`
 */
export async function* listDeadLetters(
  bus: EventBus,
  selection: LetterSelection = {},
  { limit = Infinity, ...options }: ListOptions = {},
): AsyncGenerator<DeadLetter> {
  let left = limit;
  if (left <= 0) return;
  for await (const batch of scanLetters(bus, options)) {
    for (const { letter } of batch) {
      if (letter === undefined || !isSelected(letter, selection)) continue;
      yield letter;
      if (--left <= 0) return;
    }
  }
}

/**
 * The kinds of dead letters that there are, the most frequent first: by pipeline, stage, tag of the failure, and
 * reason without numbers, ids, times and quoted values.
 *
 * @throws BusError `topic-not-found`
 */
export async function groupDeadLetters(
  bus: EventBus,
  selection: LetterSelection = {},
  options: ListOptions = {},
): Promise<readonly LetterGroup[]> {
  const tally = new GroupTally();
  for await (const letter of listDeadLetters(bus, selection, options)) tally.count(letter);
  return tally.groups;
}
