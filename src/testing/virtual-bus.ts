import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { type StubOptions, stubBus } from '../bus/embedded/stub.ts';
import type { EventBus } from '../bus/event-bus.ts';
import { type TopicSettings, defaultTopicSettings } from '../core/topic.ts';

export interface VirtualBusOptions extends StubOptions {
  /** Topics to create, each with what differs from the default settings. */
  readonly topics?: Readonly<Record<string, Partial<TopicSettings>>>;
}

/** A started bus in memory whose time goes on only when the test says so. */
export interface VirtualBus {
  readonly bus: EventBus;
  readonly scheduler: VirtualTimeScheduler;
  /** Lets so many ms go by, and everything happen that is due in them. */
  readonly runFor: (ms: number) => void;
}

/**
 * The stub bus on a virtual clock. Everything in it is synchronous, so nothing need be awaited but what the
 * bus's own promises say.
 *
 * @example
 * const { bus, runFor } = virtualBus({ topics: { prices: { partitions: 2 } } });
 * bus.source('prices', { group: 'g' }).subscribe(...);
 * runFor(1000);
 */
export function virtualBus({ topics = {}, ...options }: VirtualBusOptions = {}): VirtualBus {
  const scheduler = new VirtualTimeScheduler(VirtualAction, 0);
  const bus = stubBus({ ...options, scheduler });
  // Both have done their work when they return; a refusal surfaces as an unhandled rejection.
  void bus.start();
  for (const [name, settings] of Object.entries(topics)) {
    void bus.createTopic({ name, settings: { ...defaultTopicSettings, ...settings } });
  }
  const runFor = (ms: number): void => {
    scheduler.maxFrames = scheduler.frame + ms;
    // The clock stands where the last action left it; this one takes it to the end.
    scheduler.schedule(() => undefined, ms);
    scheduler.flush();
  };
  return { bus, scheduler, runFor };
}
