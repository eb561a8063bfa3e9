import { ask } from '../ask.ts';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { placeOf, placeOptions } from '../place.ts';

export const stateCommand: Command = {
  name: 'state',
  summary: 'state get PIPELINE [OPERATOR [KEY]]: what a pipeline remembers, as JSON',
  positionals: 'get PIPELINE [OPERATOR [KEY]]',
  options: placeOptions,
  run: async ({ options, positionals, terminal }) => {
    const [verb, pipeline, operator, key] = positionals;
    if (verb !== 'get' || pipeline === undefined) {
      throw new CliError(2, 'Usage: cryptorun state get PIPELINE [OPERATOR [KEY]] [--dir PATH]');
    }
    const args = [pipeline, operator, key].filter(arg => arg !== undefined);
    const answer = await ask(placeOf(options), 'state', args);
    terminal.out(JSON.stringify(answer, null, 2));
    if (Array.isArray(answer) && answer.length === 0) {
      terminal.err(`Nothing is remembered of ${args.join(' ')}: see "cryptorun pipelines" for the names.`);
    }
    return 0;
  },
};
