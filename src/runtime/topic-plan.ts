import type { EventBus, TopicInfo } from '../bus/event-bus.ts';
import { formatDuration, formatSize } from '../core/durations.ts';
import type { TopicSettings, TopicSpec } from '../core/topic.ts';

/** One setting that is not as it is configured. */
export interface SettingChange {
  readonly setting: string;
  readonly from: string;
  readonly to: string;
  /** What it brings along, to be known before. */
  readonly warning?: string;
  /** Why it is not changed. */
  readonly refused?: string;
}

/** What becomes of one topic. */
export interface PlannedTopic {
  readonly spec: TopicSpec;
  /** `refuse`: nothing of what differs can be changed. */
  readonly action: 'create' | 'change' | 'refuse';
  readonly changes: readonly SettingChange[];
}

export interface TopicPlan {
  /** Those that are not as configured. */
  readonly topics: readonly PlannedTopic[];
  /** Topics with our prefix that no configuration knows. */
  readonly strangers: readonly string[];
  /** Brokers of the cluster. */
  readonly brokers: number;
}

/** What there is to compare with. */
export interface PlanBasis {
  readonly present: readonly TopicInfo[];
  /** Every name there is. */
  readonly names: readonly string[];
  /** Brokers of the cluster: no topic has more copies. */
  readonly brokers: number;
  /** Whether the backend changes topics that are there. */
  readonly alterable: boolean;
}

/** Topics of ours; changelogs come and go with pipelines, those of a bundle's sinks too. */
const own = /^cryptorun-(?!.*-changelog$)/;

/** Compares topics as they are configured with those of a bus. */
export async function planOf(bus: EventBus, specs: readonly TopicSpec[]): Promise<TopicPlan> {
  const [names, { metrics }] = await Promise.all([bus.listTopics(), bus.health()]);
  const there = new Set(names);
  const present: TopicInfo[] = [];
  // One after the other: workers ask so while they begin, and want the brokers for more than this.
  for (const { name } of specs) if (there.has(name)) present.push(await bus.getTopicInfo(name));
  const alterable = bus.admin !== undefined;
  return planTopics(specs, {
    present,
    names,
    brokers: metrics.brokers ?? metrics.connectedBrokers,
    alterable,
  });
}

/** Compares topics as they are configured with those that there are. */
export function planTopics(specs: readonly TopicSpec[], basis: PlanBasis): TopicPlan {
  const present = new Map(basis.present.map(info => [info.name, info]));
  const topics = specs.flatMap((spec): PlannedTopic[] => {
    const info = present.get(spec.name);
    if (info === undefined) return [{ spec, action: 'create', changes: [] }];
    const changes = changesOf(spec.settings, info, basis);
    if (changes.length === 0) return [];
    const isRefused = changes.every(({ refused }) => refused !== undefined);
    return [{ spec, action: isRefused ? 'refuse' : 'change', changes }];
  });
  const configured = new Set(specs.map(({ name }) => name));
  const strangers = basis.names.filter(name => own.test(name) && !configured.has(name));
  return { topics, strangers, brokers: basis.brokers };
}

/** Copies that a topic gets: as many as it asks for, or as there are brokers. */
export function copiesOf({ replication }: TopicSettings, brokers: number): number {
  return Math.min(replication, Math.max(1, brokers));
}

function changesOf(
  wanted: TopicSettings,
  { settings, drift = [] }: TopicInfo,
  { brokers, alterable }: PlanBasis,
): readonly SettingChange[] {
  const found: readonly (SettingChange | undefined)[] = [
    partitionChange(settings.partitions, wanted.partitions),
    difference(
      'retention',
      told(settings.retentionMs, formatDuration),
      told(wanted.retentionMs, formatDuration),
    ),
    difference(
      'retention size',
      told(settings.retentionBytes, formatSize),
      told(wanted.retentionBytes, formatSize),
    ),
    difference('largest message', formatSize(settings.maxMessageBytes), formatSize(wanted.maxMessageBytes)),
    ...drift.map(({ setting, is, should }) => difference(setting, is, should)),
    compactionChange(settings.compaction, wanted.compaction),
    copiesChange(settings.replication, wanted, brokers),
  ];
  return found.flatMap(change => {
    if (change === undefined) return [];
    if (alterable || change.refused !== undefined) return [change];
    return [{ ...change, refused: 'this backend does not change topics that are there' }];
  });
}

function difference(setting: string, from: string, to: string): SettingChange | undefined {
  return from === to ? undefined : { setting, from, to };
}

function partitionChange(from: number, to: number): SettingChange | undefined {
  const change = difference('partitions', String(from), String(to));
  if (change === undefined) return undefined;
  return to > from
    ? {
        ...change,
        warning:
          'keys move to other partitions: stop the workers before, and reset the pipelines that keep state by key',
      }
    : { ...change, refused: 'partitions cannot be taken away: copy what is there to a new topic' };
}

function compactionChange(from: boolean, to: boolean): SettingChange | undefined {
  const change = difference('compaction', from ? 'on' : 'off', to ? 'on' : 'off');
  return (
    change && {
      ...change,
      refused: to
        ? 'older messages of each key would go, which joins as of a time need: make the topic anew'
        : 'what compaction took does not come back, and age would take the rest: make the topic anew',
    }
  );
}

function copiesChange(from: number, wanted: TopicSettings, brokers: number): SettingChange | undefined {
  if (from === wanted.replication) return undefined;
  const change = difference('copies', String(from), String(copiesOf(wanted, brokers)));
  return change && { ...change, refused: "copies are moved between brokers with the cluster's own tools" };
}

function told(value: number | undefined, format: (value: number) => string): string {
  return value === undefined || !Number.isFinite(value) ? 'no limit' : format(value);
}
