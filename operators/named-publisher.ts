import type { BusError, Publisher } from '../src/core/publisher.ts';
import type { TopicNamed } from '../src/core/topic.ts';

/** A publisher that knows for whom it publishes: the name goes into the ids of what is published. */
export interface NamedPublisher extends Publisher {
  readonly pipeline?: string;
  /** The process in which the pipeline runs. */
  readonly worker?: string;
  /** Told when a chain is made which topics it will publish to. */
  announce?(topic: TopicNamed): void;
  /** Told while a stage waits because the bus refuses, and why; undefined once it goes on. */
  held?(stage: string, refusal: BusError | undefined): void;
}
