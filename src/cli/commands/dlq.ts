import { deadLetterTopic, quarantineTopic } from '../../core/dead-letter.ts';
import { CliError } from '../cli-error.ts';
import { type Command, type CommandInput, numberOption, textOption } from '../command.ts';
import { connect } from '../connection.ts';
import { type ShowOptions, listGroups, listLetters, showLetter } from '../dlq/list-command.ts';
import { redriveLetters } from '../dlq/redrive-command.ts';
import { selectionOf, selectionOptions } from '../dlq/selection.ts';
import { placeOf, placeOptions } from '../place.ts';
import { type VerbOptions, verbOf } from '../verb-options.ts';

const places = [...Object.keys(placeOptions), 'topic', 'json'];
const selecting = Object.keys(selectionOptions);

const verbs: VerbOptions<'list' | 'show' | 'groups' | 'redrive'> = {
  list: [...places, ...selecting, 'limit'],
  show: [...places, 'id'],
  groups: [...places, ...selecting],
  redrive: [...places, ...selecting, 'limit', 'dry-run', 'rate', 'transform', 'again'],
};

export const dlqCommand: Command = {
  name: 'dlq',
  summary: 'dlq list|groups|show ID|redrive: what failed for good and why, and sending it back',
  positionals: 'list|groups|show ID|redrive',
  options: {
    ...selectionOptions,
    limit: { type: 'string', value: 'N', help: 'list: so many (default 100); redrive: send so many' },
    'dry-run': { type: 'boolean', help: 'redrive: only count what would be sent' },
    rate: { type: 'string', value: 'N', help: 'redrive: so many letters a second at most' },
    transform: {
      type: 'string',
      value: 'FILE',
      help: 'redrive: a module whose default export makes the payload to send of a letter',
    },
    again: { type: 'boolean', help: 'redrive: from the beginning, also what was sent before' },
    topic: { type: 'string', value: 'NAME', help: `where the letters are (default ${deadLetterTopic})` },
    ...placeOptions,
    json: { type: 'boolean', help: 'one JSON object a line' },
  },
  run,
};

async function run(input: CommandInput): Promise<number> {
  const verb = verbOf('dlq', verbs, input);
  const { options, terminal } = input;
  const topic = textOption(options, 'topic') ?? deadLetterTopic;
  const show: ShowOptions = { json: options['json'] === true, terminal };
  if (verb === 'redrive') {
    if (topic === quarantineTopic) {
      throw new CliError(2, 'What is in quarantine is sent back by "cryptorun quarantine release" alone.');
    }
    return redriveLetters({ topic, options, isRelease: false, show });
  }
  return lookAt(verb, topic, input, show);
}

/** What only looks: the same for dead letters and for the quarantine. */
export async function lookAt(
  verb: 'list' | 'show' | 'groups',
  topic: string,
  { options, positionals }: CommandInput,
  show: ShowOptions,
): Promise<number> {
  const selection = selectionOf(options, Date.now());
  const limit = numberOption(options, 'limit', 1, Number.MAX_SAFE_INTEGER);
  const connection = await connect(placeOf(options));
  try {
    const source = { connection, topic, selection };
    if (verb === 'list') await listLetters(source, limit, show);
    else if (verb === 'groups') await listGroups(source, show);
    else await showLetter(source, shownId(selection.id ?? positionals[1]), show);
    return 0;
  } finally {
    await connection.close();
  }
}

function shownId(id: string | undefined): string {
  if (id !== undefined && /^[0-9a-f]{4,32}$/.test(id)) return id;
  throw new CliError(2, 'Name a letter: the id that list shows beside it, or its first digits (4 at least)');
}
