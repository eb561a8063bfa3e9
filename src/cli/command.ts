import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { nearestName } from '../config/nearest-name.ts';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

/** One option of a command, with what `--help` says of it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly short?: string;
  /** What stands for the value in the help, as `PATH`. */
  readonly value?: string;
  readonly help: string;
}

/** What was typed, by option name. */
export type Options = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the options, as `SIGNAL-ID`. */
  readonly positionals?: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** @returns the exit code */
  readonly run: (input: CommandInput) => Promise<number>;
}

export interface CommandInput {
  readonly options: Options;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
}

/** Parses and runs; `--help` is everybody's. @throws CliError for what cannot be understood */
export async function runCommand(
  command: Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, multiple = false, short }] of Object.entries(command.options)) {
    options[name] = { type, multiple, ...(short !== undefined && { short }) };
  }
  const { values, positionals } = parse(command, argv, options);
  if (values['help'] === true) {
    terminal.out(helpOf(command));
    return 0;
  }
  return command.run({ options: values, positionals, terminal });
}

function parse(
  command: Command,
  argv: readonly string[],
  options: ParseArgsOptionsConfig,
): { readonly values: Options; readonly positionals: readonly string[] } {
  try {
    const allowPositionals = command.positionals !== undefined;
    return parseArgs({ args: [...argv], options, allowPositionals, strict: true });
  } catch (error) {
    const text = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    const typed = /'--?([\w-]+)/.exec(text)?.[1];
    const near = typed === undefined ? undefined : nearestName(typed, Object.keys(options));
    const hint = near === undefined || near === typed ? '' : ` Did you mean --${near}?`;
    throw new CliError(2, `${text}.${hint} See: cryptorun ${command.name} --help`);
  }
}

function helpOf({ name, summary, positionals, options }: Command): string {
  const help: OptionSpec = { type: 'boolean', short: 'h', help: 'this text' };
  const rows = Object.entries<OptionSpec>({ ...options, help }).map(([option, spec]) => {
    const short = spec.short === undefined ? '' : `-${spec.short}, `;
    const value = spec.type === 'string' ? ` ${spec.value ?? 'VALUE'}` : '';
    return [`  ${short}--${option}${value}`, spec.help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const usage = ['cryptorun', name, '[options]', positionals].filter(Boolean).join(' ');
  return [summary, '', `Usage: ${usage}`, '', 'Options:', ...rows.map(([l, r]) => l.padEnd(width) + r)].join(
    '\n',
  );
}

/** The option's text. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Every text that a repeatable option was given. */
export function textOptions(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

/** The option's whole number. @throws CliError where it is none, or out of range */
export function numberOption(options: Options, name: string, min: number, max: number): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw new CliError(2, `--${name} is "${text}", must be a number from ${min} to ${max}`);
}
