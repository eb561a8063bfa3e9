import { formatDuration, formatSize } from '../../core/durations.ts';
import type { Terminal } from '../terminal.ts';
import { plural } from '../view/readable.ts';
import { type PlannedTopic, type SettingChange, type TopicPlan, copiesOf } from '../../runtime/topic-plan.ts';

const signs = { create: '+', change: '~', refuse: '!' } as const;

/** Prints a plan as people read it. */
export function showPlan({ topics, strangers, brokers }: TopicPlan, terminal: Terminal): void {
  const out = (text: string): void => terminal.out(text);
  const width = Math.max(0, ...topics.flatMap(({ changes }) => changes.map(({ setting }) => setting.length)));
  for (const topic of topics) {
    out(
      `${signs[topic.action]} ${topic.spec.name}${topic.action === 'create' ? layout(topic, brokers) : ''}`,
    );
    for (const change of topic.changes) for (const line of changeLines(change, width)) out(line);
  }
  for (const name of strangers) out(`? ${name}  is in no configuration; it stays`);
  if (topics.length + strangers.length > 0) out('');
  out(summaryOf(topics));
}

function layout({ spec: { settings } }: PlannedTopic, brokers: number): string {
  const { partitions, retentionMs, compaction, maxMessageBytes } = settings;
  const kept = compaction ? 'compacted' : `kept ${formatDuration(retentionMs)}`;
  const copies = plural(copiesOf(settings, brokers), 'copy', 'copies');
  return `  ${plural(partitions, 'partition')}, ${copies}, ${kept}, messages up to ${formatSize(maxMessageBytes)}`;
}

function changeLines({ setting, from, to, warning, refused }: SettingChange, width: number): string[] {
  const line = `    ${setting.padEnd(width)}  ${from} -> ${to}`;
  if (refused !== undefined) return [`${line}   refused: ${refused}`];
  return warning === undefined ? [line] : [line, `    ${''.padEnd(width)}  ${warning}`];
}

function summaryOf(topics: readonly PlannedTopic[]): string {
  const count = (action: PlannedTopic['action']): number =>
    topics.filter(topic => topic.action === action).length;
  if (topics.length === 0) return 'Every topic is as it is configured.';
  return `${count('create')} to create, ${count('change')} to change, ${refusalsIn(topics)} refused`;
}

/** Settings that stay other than configured. */
export function refusalsIn(topics: readonly PlannedTopic[]): number {
  return topics.flatMap(({ changes }) => changes).filter(({ refused }) => refused !== undefined).length;
}

/** A plan as JSON. */
export function planJson({ topics, strangers }: TopicPlan): object {
  return {
    topics: topics.map(({ spec, action, changes }) => ({
      topic: spec.name,
      action,
      ...(action === 'create' && { settings: spec.settings }),
      changes,
    })),
    strangers,
  };
}
