import { setTimeout as wait } from 'node:timers/promises';
import type { RedriveReport } from '../../dlq/redrive-tally.ts';
import { CliError } from '../cli-error.ts';
import type { Connection } from '../connection.ts';
import { readAnswer } from '../wrong-input.ts';
import { ProgressLine, type ProgressStream } from './progress-line.ts';
import type { EditModule } from './edit-answers.ts';
import { editLetters } from './edit-letters.ts';
import { type RedriveRequest, RedriveStatus } from './redrive-answers.ts';

const [firstPollMs, longestPollMs] = [5, 250];

export interface FollowOptions {
  readonly stream: ProgressStream;
  /** Asks the redrive to end; its last word is waited for. */
  readonly signal: AbortSignal;
  /** What it makes of the letters; undefined: they go as they are. */
  readonly edit: EditModule | undefined;
  /** Told when an earlier command had started it. */
  readonly joined: () => void;
}

/** Starts a redrive, or joins the one that runs, shows how far it is, and waits for its end. */
export async function followRedrive(
  { ask }: Pick<Connection, 'ask'>,
  request: RedriveRequest,
  { stream, signal, edit, joined }: FollowOptions,
): Promise<RedriveReport> {
  const line = new ProgressLine(stream, performance.now());
  const answer = async (name: string, argument: string): Promise<RedriveStatus> =>
    readAnswer(RedriveStatus, await ask(name, [argument]));
  let status = await answer('redrive-start', JSON.stringify(request));
  const { job } = status;
  if (status.joined === true) joined();
  const failed = new AbortController();
  const editing = edit && editLetters({ ask }, job, edit);
  editing?.catch(() => failed.abort());
  const stop = AbortSignal.any([signal, failed.signal]);
  let isStopping = false;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 2)) {
    if (status.progress) line.show(status.progress, performance.now());
    if (status.report ?? status.problem) break;
    await wait(pollMs, undefined, isStopping ? {} : { signal: stop }).catch(() => undefined);
    status = await answer(stop.aborted && !isStopping ? 'redrive-stop' : 'redrive-status', job);
    isStopping = stop.aborted;
  }
  line.clear();
  await editing;
  if (status.report) return status.report;
  throw new CliError(1, `${job}: ${status.problem ?? 'it ended without a word'}`);
}
