import { GroupTally } from '../../dlq/group-tally.ts';
import type { Terminal } from '../terminal.ts';
import { counted, plural } from '../view/readable.ts';
import { readAnswer } from '../wrong-input.ts';
import { findLetter } from './find-letter.ts';
import { type LetterSummary, WholeLetter, payloadOf } from './letter-answers.ts';
import { type LetterSource, countFrom, pagesOf } from './letter-pages.ts';
import { groupTable, letterTable } from './letter-tables.ts';
import { viewLetter } from './letter-view.ts';
import { decodePayload } from './payload-view.ts';

/** Letters in a table unless told otherwise: it is shown at once, and columns need all of it. */
const tableLimit = 100;
/** Letters in one table; with more of them another one begins. */
const tableRows = 1000;
/** No wider, however wide the terminal is; so wide where there is none. */
const widest = 200;

export interface ShowOptions {
  readonly json: boolean;
  readonly terminal: Terminal;
}

/**
 * Lists letters, and says how many more are meant: as tables of so many rows that none needs much memory, or as JSON
 * objects, a line each.
 */
export async function listLetters(
  source: LetterSource,
  limit: number | undefined,
  { json, terminal }: ShowOptions,
): Promise<void> {
  const atMost = limit ?? (json ? Infinity : tableLimit);
  let rows: LetterSummary[] = [];
  let [listed, more, strangers] = [0, 0, 0];
  const flush = (): void => {
    const oldestFirst = rows.toSorted((a, b) => a.failedAt - b.failedAt);
    if (rows.length > 0) terminal.out(letterTable(oldestFirst, styleOf(terminal)));
    rows = [];
  };
  for await (const page of pagesOf(source, 'letters')) {
    strangers += page.strangers;
    const shown = page.letters.slice(0, atMost - listed);
    listed += shown.length;
    if (json) for (const letter of shown) terminal.out(JSON.stringify(letter));
    else rows.push(...shown);
    if (rows.length >= tableRows) flush();
    if (listed < atMost) continue;
    more = page.letters.length - shown.length + (page.done ? 0 : await countFrom(source, page.next));
    break;
  }
  flush();
  if (listed === 0) terminal.err(`No letter in ${source.topic} is meant.`);
  if (more > 0)
    terminal.err(
      `The first ${counted(listed)} of ${counted(listed + more)}; --limit N shows more, groups counts all.`,
    );
  if (strangers > 0) {
    terminal.err(`${plural(strangers, 'message')} of ${source.topic} passed over: not dead letters.`);
  }
}

/** Counts letters by kind. */
export async function listGroups(source: LetterSource, { json, terminal }: ShowOptions): Promise<void> {
  const tally = new GroupTally();
  for await (const page of pagesOf(source, 'groups')) for (const group of page.groups) tally.add(group);
  const { groups, ungrouped } = tally;
  if (json) for (const group of groups) terminal.out(JSON.stringify(group));
  else if (groups.length > 0) terminal.out(groupTable(groups, styleOf(terminal)));
  if (groups.length === 0) terminal.err(`No letter in ${source.topic} is meant.`);
  if (ungrouped > 0)
    terminal.err(`and ${plural(ungrouped, 'letter')} of kinds beyond the first ${groups.length}`);
}

/** Shows all of one letter; as JSON with its payload as bytes and, in `decoded`, as its topic's codec reads it. */
export async function showLetter(
  source: Omit<LetterSource, 'selection'>,
  id: string,
  { json, terminal }: ShowOptions,
): Promise<void> {
  const { topic, partition, offset } = await findLetter(source, id);
  const answer = await source.connection.ask('dlq-letter', [topic, String(partition), String(offset)]);
  const letter = readAnswer(WholeLetter, answer);
  const asJson = (): string =>
    JSON.stringify({ ...letter, decoded: decodePayload(letter.origin.topic, payloadOf(letter)) });
  terminal.out(json ? asJson() : viewLetter(letter, styleOf(terminal)));
}

export function styleOf({ stream, isInteractive, colour }: Terminal): {
  readonly columns: number;
  readonly colour: boolean;
} {
  return { columns: isInteractive ? Math.min(widest, stream.columns) : widest, colour };
}
