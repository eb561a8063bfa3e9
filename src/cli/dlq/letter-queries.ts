import * as t from 'io-ts';
import { GroupTally } from '../../dlq/group-tally.ts';
import type { LetterGroup } from '../../dlq/letter-group.ts';
import { type LetterSelection, isSelected } from '../../dlq/letter-selection.ts';
import { scanLetters } from '../../dlq/scan-letters.ts';
import { CliError } from '../cli-error.ts';
import type { Query } from '../query.ts';
import { jsonArgument } from '../wrong-input.ts';
import { Group, LetterSummary, summaryOf, wholeOf } from './letter-answers.ts';
import { requireTopic } from './require-topic.ts';
import { Selection } from './selection.ts';

/** Messages looked at for one answer at most, so that none takes long. */
const maxLooked = 20_000;
/** Letters in one answer at most. */
const maxLetters = 500;

const Positions = t.record(t.string, t.number);

/** Asks for a stretch of a dead-letter topic. */
export interface PageRequest {
  readonly topic: string;
  readonly selection: LetterSelection;
  /** The offset from which to read, by partition: the `next` of the page before. */
  readonly from: Readonly<Record<string, number>>;
  /** Letters themselves, how many there are of each kind, or only how many. */
  readonly want: 'letters' | 'groups' | 'count';
}

const PageRequest: t.Type<PageRequest> = t.type(
  {
    topic: t.string,
    selection: Selection,
    from: Positions,
    want: t.keyof({ letters: null, groups: null, count: null }),
  },
  'PageRequest',
);

/** A stretch of a dead-letter topic. */
export interface Page {
  readonly letters: readonly LetterSummary[];
  readonly groups: readonly LetterGroup[];
  readonly next: Readonly<Record<string, number>>;
  /** Letters in it that are meant. */
  readonly meant: number;
  /** Messages in it that are no dead letters. */
  readonly strangers: number;
  /** Whether the end is reached. */
  readonly done: boolean;
}

export const Page: t.Type<Page> = t.type({
  letters: t.readonlyArray(LetterSummary),
  groups: t.readonlyArray(Group),
  next: Positions,
  meant: t.number,
  strangers: t.number,
  done: t.boolean,
});

/** `[PageRequest]`: the letters, or groups, from a position on. */
const page: Query = async (bus, [request]): Promise<Page> => {
  const { topic, selection, from, want } = jsonArgument(PageRequest, request);
  await requireTopic(bus, topic);
  const next: Record<string, number> = { ...from };
  const letters: LetterSummary[] = [];
  const groups = new GroupTally();
  let [looked, meant, strangers] = [0, 0, 0];
  const found = (): Page => ({ letters, groups: [...groups.groups], next, meant, strangers, done: false });
  for await (const batch of scanLetters(bus, { topic, from })) {
    for (const { message, letter } of batch) {
      if (letters.length >= maxLetters) return found();
      next[message.partition] = message.offset + 1;
      looked++;
      if (letter === undefined) strangers++;
      else if (isSelected(letter, selection)) {
        meant++;
        if (want === 'letters') letters.push(summaryOf(letter));
        else if (want === 'groups') groups.count(letter);
      }
    }
    if (looked >= maxLooked) return found();
  }
  return { ...found(), done: true };
};

/** `[topic, partition, offset]`: all of one letter. */
const letter: Query = async (bus, [topic = '', partition = '', offset = '']) => {
  const place = { topic, partitions: [Number(partition)], from: { [partition]: Number(offset) } };
  for await (const [first] of scanLetters(bus, place)) {
    if (first?.message.offset === Number(offset) && first.letter) return wholeOf(first.letter);
    break;
  }
  throw new CliError(2, `there is no letter at ${topic}[${partition}]@${offset} any more`);
};

/** Questions about dead letters. */
export const letterQueries: Readonly<Record<string, Query>> = { 'dlq-page': page, 'dlq-letter': letter };
