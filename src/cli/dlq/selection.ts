import * as t from 'io-ts';
import { parseDuration } from '../../core/durations.ts';
import type { LetterSelection } from '../../dlq/letter-selection.ts';
import { CliError } from '../cli-error.ts';
import { type OptionSpec, type Options, textOption } from '../command.ts';

/** A selection on its way to another process. */
export const Selection: t.Type<LetterSelection> = t.partial(
  {
    id: t.string,
    group: t.string,
    pipeline: t.string,
    key: t.string,
    since: t.number,
    until: t.number,
  },
  'Selection',
);

/** How a user says which letters are meant. */
export const selectionOptions: Readonly<Record<string, OptionSpec>> = {
  id: { type: 'string', value: 'ID', help: 'the letter with this id, or its first digits' },
  group: { type: 'string', value: 'ID', help: 'letters of this group, see groups' },
  pipeline: { type: 'string', value: 'NAME', help: 'letters of this pipeline' },
  key: { type: 'string', value: 'KEY', help: 'letters of messages with this key' },
  since: { type: 'string', value: 'TIME', help: 'failed since: 2h, or 2026-01-05T12:00Z' },
  until: { type: 'string', value: 'TIME', help: 'failed before: 2h, or 2026-01-05T12:00Z' },
};

/** @throws CliError for what cannot be meant */
export function selectionOf(options: Options, now: number): LetterSelection {
  const text = (name: string): string | undefined => textOption(options, name);
  const [since, until] = [timeOf('since', text('since'), now), timeOf('until', text('until'), now)];
  if (since !== undefined && until !== undefined && until <= since) {
    throw new CliError(2, '--until is not after --since: no letter can be meant');
  }
  const selection = {
    id: hexOf('id', text('id'), 32),
    group: hexOf('group', text('group'), 8),
    pipeline: text('pipeline'),
    key: text('key'),
    since,
    until,
  };
  return Object.fromEntries(Object.entries(selection).filter(([, value]) => value !== undefined));
}

/** The options with which the same selection is asked for again, whatever the time is then. */
export function asOptions({ since, until, ...texts }: LetterSelection): readonly string[] {
  const times = Object.entries({ since, until }).flatMap(([name, time]) =>
    time === undefined ? [] : [`--${name} ${new Date(time).toISOString()}`],
  );
  const others = Object.entries(texts).map(([name, value]) => `--${name} ${quoted(value)}`);
  return [...others, ...times];
}

/** As a shell takes it for one word. */
export function quoted(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function hexOf(option: string, text: string | undefined, longest: number): string | undefined {
  if (text === undefined || (/^[0-9a-f]{4,}$/.test(text) && text.length <= longest)) return text;
  throw new CliError(2, `--${option} is "${text}", must be 4 to ${longest} of the digits 0-9 and a-f`);
}

function timeOf(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(time)) return time;
  throw new CliError(
    2,
    `--${option} is "${text}", must be how long ago, as 90m or 2h, or a time, as 2026-01-05T12:00Z`,
  );
}
