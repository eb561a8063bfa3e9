/** What `health()` tells. */
export interface BusHealth {
  readonly healthy: boolean;
  readonly status: 'stopped' | 'running' | 'degraded';
  /** What is wrong, in words; empty when healthy. */
  readonly errors: readonly string[];
  /** What is other than was asked for and does no harm now. */
  readonly warnings?: readonly string[];
  readonly metrics: {
    readonly connectedBrokers: number;
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
