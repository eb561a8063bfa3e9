/** What consumers of backends with groups over several processes go through. */
export interface ConsumerCounts {
  /** How often partitions were shared out anew among the members of a group. */
  readonly rebalances?: number;
  /** Deliveries that come again because their partition changed hands before they were committed. */
  readonly repeatedDeliveries?: number;
  /** How often a consumer that had stalled, or had lost its brokers for long, was begun anew. */
  readonly consumerRestarts?: number;
}

/** What `health()` tells. */
export interface BusHealth {
  readonly healthy: boolean;
  readonly status: 'stopped' | 'running' | 'degraded';
  /** What is wrong, in words; empty when healthy. */
  readonly errors: readonly string[];
  /** What is other than was asked for and does no harm now. */
  readonly warnings?: readonly string[];
  readonly metrics: ConsumerCounts & {
    /** Brokers that answer from here; 0 while none does. */
    readonly connectedBrokers: number;
    /** Brokers that a cluster says it has. */
    readonly brokers?: number;
    readonly activeTopics: number;
    readonly activeConsumers: number;
    /** From `send` to stored, ms, over recent traffic; 0 without any. */
    readonly producerLatencyMs: number;
    /** From stored to delivered, ms, over recent traffic; 0 without any. */
    readonly consumerLatencyMs: number;
    /** The node that rules a cluster, where there is one. */
    readonly controller?: number;
    /** Partitions of topics used here whose copies lag behind, in a cluster. */
    readonly underReplicatedPartitions?: number;
  };
}
