import type { LetterSelection } from '../../dlq/letter-selection.ts';
import type { Connection } from '../connection.ts';
import { readAnswer } from '../wrong-input.ts';
import type { LetterSummary } from './letter-answers.ts';
import { Page, type PageRequest } from './letter-queries.ts';

/** A dead-letter topic as a command reads it. */
export interface LetterSource {
  readonly connection: Connection;
  readonly topic: string;
  readonly selection: LetterSelection;
}

/** A topic page by page, so that neither side holds all of it. */
export async function* pagesOf(
  { connection, topic, selection }: LetterSource,
  want: PageRequest['want'],
  from: PageRequest['from'] = {},
): AsyncGenerator<Page> {
  for (;;) {
    const request: PageRequest = { topic, selection, from, want };
    const page = readAnswer(Page, await connection.ask('dlq-page', [JSON.stringify(request)]));
    yield page;
    if (page.done) return;
    from = page.next;
  }
}

/** How many selected letters there are from a position on. */
export async function countFrom(source: LetterSource, from: PageRequest['from']): Promise<number> {
  let count = 0;
  for await (const { meant } of pagesOf(source, 'count', from)) count += meant;
  return count;
}

/** The selected letters one by one. */
export async function* lettersOf(source: LetterSource): AsyncGenerator<LetterSummary> {
  for await (const { letters } of pagesOf(source, 'letters')) yield* letters;
}
