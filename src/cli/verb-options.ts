import { nearestName } from '../config/nearest-name.ts';
import { CliError } from './cli-error.ts';
import type { CommandInput } from './command.ts';

/** Which options each verb of a command takes. */
export type VerbOptions<V extends string> = Readonly<Record<V, readonly string[]>>;

/** The verb that was typed. @throws CliError where there is none, or an option is not one of its own */
export function verbOf<V extends string>(
  command: string,
  verbs: VerbOptions<V>,
  { positionals, options }: CommandInput,
): V {
  const [typed = ''] = positionals;
  const names = Object.keys(verbs);
  if (!isVerb(verbs, typed)) {
    const near = nearestName(typed, names);
    const hint = near === undefined || near === '' ? '' : ` Did you mean ${near}?`;
    throw new CliError(2, `Usage: cryptorun ${command} ${names.join('|')} [options].${hint} See: --help`);
  }
  const stranger = Object.keys(options).find(name => !verbs[typed].includes(name));
  if (stranger === undefined) return typed;
  const takers = Object.entries<readonly string[]>(verbs).flatMap(([verb, own]) =>
    own.includes(stranger) ? [verb] : [],
  );
  throw new CliError(2, `--${stranger} is for ${takers.join(' and ')}, not for ${command} ${typed}`);
}

function isVerb<V extends string>(verbs: VerbOptions<V>, typed: string): typed is V {
  return Object.hasOwn(verbs, typed);
}
