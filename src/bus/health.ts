/** What `health()` tells. */
export interface BusHealth {
  readonly healthy: boolean;
  readonly status: 'stopped' | 'running' | 'degraded';
  /** What is wrong, in words; empty when healthy. */
  readonly errors: readonly string[];
  readonly metrics: {
    readonly connectedBrokers: number;
    readonly activeTopics: number;
    readonly activeConsumers: number;
    /** From `send` to stored, ms, over recent traffic; 0 without any. */
    readonly producerLatencyMs: number;
    /** From stored to delivered, ms, over recent traffic; 0 without any. */
    readonly consumerLatencyMs: number;
  };
}
