import { userInfo } from 'node:os';
import type { RedriveReport } from '../../dlq/redrive-tally.ts';
import { listenForShutdown } from '../../worker/shutdown.ts';
import { CliError } from '../cli-error.ts';
import { type Options, numberOption, textOption } from '../command.ts';
import { type Connection, connect } from '../connection.ts';
import { placeOf } from '../place.ts';
import { findLetter } from './find-letter.ts';
import { followRedrive } from './follow-redrive.ts';
import { groupTable } from './letter-tables.ts';
import { type ShowOptions, styleOf } from './list-command.ts';
import type { RedriveRequest } from './redrive-answers.ts';
import { redriveSummary } from './redrive-summary.ts';
import { asOptions, quoted, selectionOf } from './selection.ts';
import { transformModule } from './transform-module.ts';

export interface RedriveInput {
  readonly topic: string;
  readonly options: Options;
  /** Whether the letters are those in quarantine. */
  readonly isRelease: boolean;
  readonly show: ShowOptions;
}

/** Sends letters back to where they failed. @returns the exit code */
export async function redriveLetters(input: RedriveInput): Promise<number> {
  const { options, show } = input;
  const dryRun = options['dry-run'] === true;
  const transform = textOption(options, 'transform');
  const edit = transform === undefined ? undefined : await transformModule(transform);
  const connection = await connect(placeOf(options), { writable: !dryRun });
  const shutdown = listenForShutdown(process);
  try {
    const request = {
      ...(await requestOf(input, connection, dryRun)),
      ...(edit && { transformId: edit.transformId }),
    };
    const report = await followRedrive(connection, request, {
      stream: process.stderr,
      signal: shutdown.signal,
      edit,
      joined: () => show.terminal.err('An earlier command started it, and it is running still: joined.'),
    });
    tell(report, request, input);
    return report.failed > 0 ? 1 : 0;
  } finally {
    await connection.close();
    shutdown.remove();
  }
}

/** A letter that is meant by its first digits is one letter, and the job is named after all of its id. */
async function requestOf(
  { topic, options, isRelease }: RedriveInput,
  connection: Connection,
  dryRun: boolean,
): Promise<RedriveRequest> {
  const typed = selectionOf(options, Date.now());
  const ratePerSecond = numberOption(options, 'rate', 0.001, 1e9);
  const limit = numberOption(options, 'limit', 1, Number.MAX_SAFE_INTEGER);
  if (limit !== undefined && !Number.isInteger(limit))
    throw new CliError(2, '--limit must be a whole number');
  const id = typed.id === undefined ? undefined : (await findLetter({ connection, topic }, typed.id)).id;
  return {
    topic,
    selection: { ...typed, ...(id !== undefined && { id }) },
    dryRun,
    again: options['again'] === true,
    isRelease,
    by: userInfo().username,
    ...(ratePerSecond !== undefined && { ratePerSecond }),
    ...(limit !== undefined && { limit }),
  };
}

function tell(
  report: RedriveReport,
  request: RedriveRequest,
  { options, isRelease, show }: RedriveInput,
): void {
  const { terminal, json } = show;
  if (json) {
    terminal.out(JSON.stringify({ ...report, dryRun: request.dryRun }));
  } else {
    if (request.dryRun && report.groups.length > 0)
      terminal.out(groupTable(report.groups, styleOf(terminal)));
    terminal.out(redriveSummary(report, request.dryRun).join('\n'));
  }
  if (report.outcome === 'done' || request.dryRun) return;
  const kept = ['dir', 'backend', 'config', 'topic', 'transform', 'rate', 'limit'].flatMap(name => {
    const value = textOption(options, name);
    return value === undefined ? [] : [`--${name} ${quoted(value)}`];
  });
  const command = isRelease ? 'quarantine release' : 'dlq redrive';
  const again = ['cryptorun', command, ...asOptions(request.selection), ...kept].join(' ');
  terminal.err(`It goes on from there with: ${again}`);
}
