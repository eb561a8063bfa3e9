import type { EventBus } from '../bus/event-bus.ts';
import { reasonOf } from '../core/failure.ts';
import type { TopicSpec } from '../core/topic.ts';
import { planOf } from '../runtime/topic-plan.ts';
import type { Logger } from './logger.ts';

/** Tells of topics that are other than configured: they are used as they are, and changing them is for people. */
export async function tellTopicDrift(
  bus: EventBus,
  specs: readonly TopicSpec[],
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const { spec, changes } of (await planOf(bus, specs)).topics) {
      const drift = changes.map(({ setting, from, to }) => `${setting} is ${from}, configured ${to}`);
      if (drift.length > 0)
        logger.warn({ topic: spec.name, drift }, 'topic is not as configured: see "cryptorun topics plan"');
    }
  } catch (error) {
    if (!signal.aborted)
      logger.warn({ reason: reasonOf(error) }, 'topics not compared with their configuration');
  }
}
