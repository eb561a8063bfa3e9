import { reasonOf } from '../../core/failure.ts';
import { transformed } from '../../dlq/transformed.ts';
import type { Connection } from '../connection.ts';
import { readAnswer } from '../wrong-input.ts';
import { EditAnswer, type EditModule, type EditReply } from './edit-answers.ts';
import { type WholeLetter, letterOf } from './letter-answers.ts';

/** What of a payload goes into one question, characters of base64: a body may be 64 KiB. A whole number of threes. */
const partLength = 48 * 1024;

/** Edits the letters of a job one after the other, wherever it runs, until there are no more. */
export async function editLetters(
  { ask }: Pick<Connection, 'ask'>,
  job: string,
  { transform }: EditModule,
): Promise<void> {
  const put = async (reply?: EditReply): Promise<EditAnswer> =>
    readAnswer(EditAnswer, await ask('redrive-edit', [job, ...(reply ? [JSON.stringify(reply)] : [])]));
  for (let answer = await put(); !answer.isOver;) {
    if (answer.letter === undefined) answer = await put();
    else for (const reply of await repliesTo(answer.letter, transform)) answer = await put(reply);
  }
}

async function repliesTo(
  whole: WholeLetter,
  transform: EditModule['transform'],
): Promise<readonly EditReply[]> {
  const letter = whole.id;
  try {
    const payload = await transformed(letterOf(whole), transform);
    if (payload === undefined) return [{ letter, kind: 'left' }];
    if (payload === null) return [{ letter, kind: 'payload', base64: null }];
    const text = Buffer.from(payload).toString('base64');
    const cuts = Math.max(0, Math.ceil(text.length / partLength) - 1);
    const parts = Array.from({ length: cuts }, (_, i): EditReply => {
      return { letter, kind: 'part', base64: text.slice(i * partLength, (i + 1) * partLength) };
    });
    return [...parts, { letter, kind: 'payload', base64: text.slice(cuts * partLength) }];
  } catch (error) {
    return [{ letter, kind: 'failed', reason: reasonOf(error).slice(0, partLength / 8) }];
  }
}
