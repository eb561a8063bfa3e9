import type { TopicSpec } from '../core/topic.ts';

/** Changes of topics that are there. Compaction and copies are no part of it: they are a topic's nature, or its cluster's. */
export interface TopicAdmin {
  /**
   * Adds partitions until there are so many. Keys move: what comes from then on may go to another partition than what
   * is there.
   *
   * @throws BusError `invalid-option` where there are as many or more
   */
  growPartitions(topic: string, partitions: number): Promise<void>;
  /**
   * Gives a topic the retention and the largest message of these settings, and whatever else the backend sets itself;
   * what others have set beside them stays.
   */
  alterTopic(spec: TopicSpec): Promise<void>;
}
