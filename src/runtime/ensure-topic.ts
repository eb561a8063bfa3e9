import type { EventBus } from '../bus/event-bus.ts';
import { BusError } from '../core/publisher.ts';
import type { TopicSpec } from '../core/topic.ts';

/** Creates a topic unless it is there; tells whether it was not. */
export async function ensureTopic(bus: EventBus, spec: TopicSpec): Promise<boolean> {
  try {
    await bus.createTopic(spec);
    return true;
  } catch (error) {
    if (!(error instanceof BusError && error.code === 'topic-exists')) throw error;
    return false;
  }
}
