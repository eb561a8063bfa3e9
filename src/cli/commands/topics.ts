import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { type VerbOptions, verbOf } from '../verb-options.ts';
import { placeOf, placeOptions } from '../place.ts';
import { listTopics, showTopic } from '../topics/list-topics.ts';
import { planOrApply } from '../topics/plan-command.ts';

const places = [...Object.keys(placeOptions), 'json'];

const verbs: VerbOptions<'list' | 'show' | 'plan' | 'apply'> = {
  list: places,
  show: places,
  plan: places,
  apply: [...places, 'yes'],
};

export const topicsCommand: Command = {
  name: 'topics',
  summary: 'topics [list]|show NAME|plan|apply: what topics hold, and making them as they are configured',
  positionals: '[list]|show NAME|plan|apply',
  options: {
    ...placeOptions,
    yes: { type: 'boolean', help: 'apply: without asking' },
    json: { type: 'boolean', help: 'as JSON' },
  },
  run: async input => {
    const { options, positionals, terminal } = input;
    const [typed = 'list', name] = positionals;
    const verb = verbOf('topics', verbs, { ...input, positionals: [typed] });
    const show = { json: options['json'] === true, terminal };
    if (verb === 'plan' || verb === 'apply') return planOrApply(verb, input);
    if (verb === 'list') await listTopics(placeOf(options), show);
    else await showTopic(placeOf(options), named(name), show);
    return 0;
  },
};

function named(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new CliError(2, 'Name a topic: cryptorun topics show NAME');
}
