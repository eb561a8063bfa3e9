import type { EventBus } from '../../bus/event-bus.ts';
import type { TopicAdmin } from '../../bus/topic-admin.ts';
import { ensureTopic } from '../../runtime/ensure-topic.ts';
import type { PlannedTopic, TopicPlan } from '../../runtime/topic-plan.ts';

/** Told of each topic once it is done. */
export type Applied = (topic: PlannedTopic) => void;

/** Does what a plan says, topic by topic; what it refuses stays as it is. */
export async function applyPlan(bus: EventBus, { topics }: TopicPlan, applied: Applied): Promise<void> {
  for (const topic of topics) {
    if (topic.action === 'refuse') continue;
    if (topic.action === 'create') await ensureTopic(bus, topic.spec);
    else if (bus.admin) await change(bus.admin, topic);
    applied(topic);
  }
}

async function change(admin: TopicAdmin, { spec, changes }: PlannedTopic): Promise<void> {
  const done = changes.filter(({ refused }) => refused === undefined).map(({ setting }) => setting);
  if (done.some(setting => setting !== 'partitions')) await admin.alterTopic(spec);
  if (done.includes('partitions')) await admin.growPartitions(spec.name, spec.settings.partitions);
}
