import { quarantineTopic } from '../../core/dead-letter.ts';
import { CliError } from '../cli-error.ts';
import { type Command, type CommandInput, type Options, textOption } from '../command.ts';
import type { ShowOptions } from '../dlq/list-command.ts';
import { redriveLetters } from '../dlq/redrive-command.ts';
import { selectionOptions } from '../dlq/selection.ts';
import { type VerbOptions, verbOf } from '../verb-options.ts';
import { placeOptions } from '../place.ts';
import { lookAt } from './dlq.ts';

const places = [...Object.keys(placeOptions), 'topic', 'json'];
const selecting = Object.keys(selectionOptions);

const verbs: VerbOptions<'list' | 'show' | 'release'> = {
  list: [...places, ...selecting, 'limit'],
  show: [...places, 'id'],
  release: [...places, ...selecting, 'limit', 'dry-run', 'rate', 'again', 'all'],
};

export const quarantineCommand: Command = {
  name: 'quarantine',
  summary: 'quarantine list|show ID|release [ID]: what failed again and again, and letting it try once more',
  positionals: 'list|show ID|release [ID]',
  options: {
    ...selectionOptions,
    limit: { type: 'string', value: 'N', help: 'list: so many (default 100); release: so many' },
    all: { type: 'boolean', help: 'release: everything, where nothing is selected' },
    'dry-run': { type: 'boolean', help: 'release: only count what would be released' },
    rate: { type: 'string', value: 'N', help: 'release: so many messages a second at most' },
    again: { type: 'boolean', help: 'release: from the beginning, also what was released before' },
    topic: { type: 'string', value: 'NAME', help: `where they are (default ${quarantineTopic})` },
    ...placeOptions,
    json: { type: 'boolean', help: 'one JSON object a line' },
  },
  run,
};

async function run(input: CommandInput): Promise<number> {
  const verb = verbOf('quarantine', verbs, input);
  const topic = textOption(input.options, 'topic') ?? quarantineTopic;
  const show: ShowOptions = { json: input.options['json'] === true, terminal: input.terminal };
  if (verb !== 'release') return lookAt(verb, topic, input, show);
  return redriveLetters({ topic, options: releaseOptions(input), isRelease: true, show });
}

/** What is released is said: an id, a selection, or everything in so many words. */
function releaseOptions({ options, positionals }: CommandInput): Options {
  const [, id] = positionals;
  const named = id === undefined ? options : { ...options, id };
  const isSelective = selecting.some(name => named[name] !== undefined);
  if (isSelective !== (options['all'] === true)) return named;
  throw new CliError(
    2,
    isSelective
      ? '--all and a selection exclude each other'
      : 'Name what to release: an id, a selection such as --pipeline bars, or --all',
  );
}
