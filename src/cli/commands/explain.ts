import { isLeft } from 'fp-ts/lib/Either.js';
import { ask } from '../ask.ts';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { ExplainAnswer } from '../explain/explain-query.ts';
import { placeOf, placeOptions } from '../place.ts';

const widest = 120;

export const explainCommand: Command = {
  name: 'explain',
  summary: 'Tells the whole why of a signal: prices, score, gates, regime, and the chain of messages',
  positionals: 'SIGNAL-ID',
  options: {
    ...placeOptions,
    json: { type: 'boolean', help: 'as JSON' },
  },
  run: async ({ options, positionals, terminal }) => {
    const [id] = positionals;
    if (id === undefined || !/^[0-9a-f]{4,32}$/.test(id)) {
      const wrong =
        id === undefined ? '' : `"${id}" is no signal's id: ids are 4 to 32 digits of 0-9 and a-f. `;
      throw new CliError(
        2,
        `${wrong}Usage: cryptorun explain SIGNAL-ID: the id that the live view shows beside a signal, or its first digits`,
      );
    }
    const form = options['json'] === true ? 'json' : 'text';
    const columns = String(Math.min(widest, terminal.stream.columns));
    const args = [id, form, columns, terminal.colour ? 'colour' : ''];
    const answer = ExplainAnswer.decode(await ask(placeOf(options), 'explain', args));
    if (isLeft(answer)) {
      throw new CliError(1, 'The answer cannot be read: is the running process of another version?');
    }
    if (!answer.right.found) throw new CliError(2, answer.right.text);
    terminal.out(answer.right.text);
    return 0;
  },
};
