import { asyncScheduler } from 'rxjs';
import { marketPipelines } from '../../../pipelines/index.ts';
import type { EventBus } from '../../bus/event-bus.ts';
import { ensureTopic } from '../../runtime/ensure-topic.ts';
import { changelogOf } from '../../runtime/snapshot-format.ts';
import { auditTopic } from '../../worker/report-topics.ts';
import { type AuditLog, auditLog } from '../../worker/reporters.ts';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { openPlace } from '../connection.ts';
import { type PipelineDescription, describePipeline, withDownstream } from '../pipeline-graph.ts';
import { placeOf, placeOptions } from '../place.ts';

export const resetCommand: Command = {
  name: 'reset',
  summary: 'Forgets what a pipeline and those behind it have made: state, offsets and outputs together',
  positionals: 'PIPELINE',
  options: {
    ...placeOptions,
    'dry-run': { type: 'boolean', help: 'only tell what would be forgotten' },
  },
  run: async ({ options, positionals, terminal }) => {
    const [name] = positionals;
    if (name === undefined)
      throw new CliError(2, `Usage: cryptorun reset PIPELINE [--dry-run], PIPELINE one of ${shippedNames}`);
    const dryRun = options['dry-run'] === true;
    const bus = await openPlace(placeOf(options), { writable: !dryRun });
    try {
      const audit = dryRun ? undefined : await openAudit(bus);
      for (const pipeline of await concerned(bus, name)) {
        terminal.out(await tellOf(bus, pipeline, dryRun ? 'would forget' : 'forgets'));
        if (audit) await reset(bus, pipeline, audit);
      }
      await audit?.record('state-reset', name);
    } finally {
      await bus.stop();
    }
    if (dryRun) terminal.out('Nothing was changed: leave --dry-run out to do it.');
    return 0;
  },
};

const shipped = marketPipelines().map(describePipeline);
const shippedNames = shipped.map(pipeline => pipeline.name).join(', ');

/**
 * The pipeline and those behind it. Of one that is not of ours only its state and offsets are known, and not what it
 * has written.
 *
 * @throws CliError where there is no trace of it
 */
async function concerned(bus: EventBus, name: string): Promise<readonly Concerned[]> {
  if (shipped.some(pipeline => pipeline.name === name)) return withDownstream(name, shipped);
  const changelog = changelogOf(name).name;
  if ((await bus.listTopics()).includes(changelog)) return [{ name, outputs: [] }];
  throw new CliError(
    2,
    `no pipeline ${name}: it is none of ${shippedNames}, and there is no topic ${changelog} here with the state of one of your own`,
  );
}

type Concerned = Pick<PipelineDescription, 'name' | 'outputs'>;

async function openAudit(bus: EventBus): Promise<AuditLog> {
  const created = await ensureTopic(bus, auditTopic);
  const audit = auditLog({ name: 'cryptorun reset', bus, scheduler: asyncScheduler });
  if (created) await audit.record('topic-created', auditTopic.name);
  return audit;
}

async function tellOf(bus: EventBus, { name, outputs }: Concerned, verb: string): Promise<string> {
  const messages = await Promise.all([...outputs, changelogOf(name).name].map(topic => countOf(bus, topic)));
  const state = messages.pop() ?? 0;
  const written = outputs.map((topic, i) => `${messages[i] ?? 0} messages of ${topic}`);
  const told = [`${name} ${verb} its offsets`, `${state} records of state`, ...written].join(', ');
  if (outputs.length > 0) return told;
  return `${told}; what it has written stays, for where that is is not known here: the next run writes it again`;
}

async function countOf(bus: EventBus, topic: string): Promise<number> {
  if (!(await bus.listTopics()).includes(topic)) return 0;
  const { partitions } = await bus.getTopicInfo(topic);
  return partitions.reduce((sum, { firstOffset, nextOffset }) => sum + nextOffset - firstOffset, 0);
}

async function reset(bus: EventBus, { name, outputs }: Concerned, audit: AuditLog): Promise<void> {
  const present = await bus.listTopics();
  await bus.deleteGroup(name);
  for (const topic of [...outputs, changelogOf(name).name]) {
    if (!present.includes(topic)) continue;
    const { settings } = await bus.getTopicInfo(topic);
    await bus.deleteTopic(topic);
    await audit.record('topic-deleted', topic, { pipeline: name });
    await bus.createTopic({ name: topic, settings });
    await audit.record('topic-created', topic, { pipeline: name });
  }
}
