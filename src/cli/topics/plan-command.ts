import { userInfo } from 'node:os';
import { asyncScheduler } from 'rxjs';
import { shippedPipelines } from '../../../pipelines/index.ts';
import type { EventBus } from '../../bus/event-bus.ts';
import type { TopicSpec } from '../../core/topic.ts';
import { changelogOf } from '../../runtime/snapshot-format.ts';
import { type PlannedTopic, type TopicPlan, planOf } from '../../runtime/topic-plan.ts';
import { auditTopic, reportTopics } from '../../worker/report-topics.ts';
import { auditLog } from '../../worker/reporters.ts';
import { type CommandInput, textOption } from '../command.ts';
import { openPlace } from '../connection.ts';
import { withPositions } from '../create-topics.ts';
import { placeOf } from '../place.ts';
import { defaultConfigDir, loadSettings } from '../settings.ts';
import { applyPlan } from './apply-plan.ts';
import { planJson, refusalsIn, showPlan } from './show-plan.ts';

/** `topics plan` ends so where there is something to do. */
const somethingToDo = 4;

/** Tells, and with `apply` does, what makes topics be as they are configured. @returns the exit code */
export async function planOrApply(
  verb: 'plan' | 'apply',
  { options, terminal }: CommandInput,
): Promise<number> {
  const specs = everyTopic(textOption(options, 'config') ?? defaultConfigDir());
  const bus = await openPlace(placeOf(options), { writable: verb === 'apply' });
  try {
    const plan = await planOf(bus, specs);
    const json = options['json'] === true;
    if (json) terminal.out(JSON.stringify(planJson(plan), null, 2));
    else showPlan(plan, terminal);
    const doable = plan.topics.filter(({ action }) => action !== 'refuse');
    const refused = refusalsIn(plan.topics) > 0;
    if (verb === 'plan') return refused ? 2 : doable.length > 0 ? somethingToDo : 0;
    if (doable.length === 0) return refused ? 2 : 0;
    if (options['yes'] !== true && !(await terminal.confirm('Do this?'))) {
      terminal.err('Nothing was changed.');
      return 0;
    }
    await apply(bus, plan, what => (json ? undefined : terminal.out(what)));
    return refused ? 2 : 0;
  } finally {
    await bus.stop();
  }
}

/** All that a worker with every pipeline would create. */
function everyTopic(configDir: string): readonly TopicSpec[] {
  const { topics, market } = loadSettings(configDir);
  const changelogs = shippedPipelines(market).map(({ name }) => changelogOf(name));
  const all = [...withPositions(topics), ...reportTopics, ...changelogs];
  const first = new Map<string, TopicSpec>();
  for (const { name, settings } of all) if (!first.has(name)) first.set(name, { name, settings });
  return [...first.values()];
}

async function apply(bus: EventBus, plan: TopicPlan, tell: (what: string) => void): Promise<void> {
  const done: PlannedTopic[] = [];
  try {
    await applyPlan(bus, plan, topic => {
      done.push(topic);
      tell(`${topic.action === 'create' ? 'created' : 'changed'} ${topic.spec.name}`);
    });
  } finally {
    await record(bus, done);
  }
}

/** In the audit log, where that is among the topics by now. */
async function record(bus: EventBus, done: readonly PlannedTopic[]): Promise<void> {
  if (done.length === 0 || !(await bus.listTopics()).includes(auditTopic.name)) return;
  const audit = auditLog({ name: userInfo().username, bus, scheduler: asyncScheduler });
  for (const { spec, action, changes } of done) {
    const details = Object.fromEntries(
      changes
        .filter(({ refused }) => refused === undefined)
        .map(({ setting, from, to }) => [setting, `${from} -> ${to}`]),
    );
    await audit.record(action === 'create' ? 'topic-created' : 'topic-changed', spec.name, details);
  }
}
