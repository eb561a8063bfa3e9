import type { Capabilities, Capability } from '../../bus/capabilities.ts';
import type { EmbeddedBusOptions } from '../../bus/embedded/embedded-bus.ts';
import type { EventBus } from '../../bus/event-bus.ts';

/**
 * What a case may need beside the contract: partitions whose size can be bounded, faults on demand, and time that
 * can be made to pass so far that retention and compaction have run.
 */
export type ConformanceExtra = 'bounded-partitions' | 'fault-injection' | 'retention-on-demand';

export type ConformanceNeed = Capability | ConformanceExtra;

/** Settings with which a case wants its bus; only those for whose needs the backend was declared fit are given. */
export type ConformanceBusOptions = Pick<
  EmbeddedBusOptions,
  'maxPartitionBytes' | 'maxWaitingPublishes' | 'publishTimeoutMs' | 'maintenanceIntervalMs' | 'faults'
>;

/** What a backend brings to the cases; a new one for each run. */
export interface ConformanceContext {
  /** A bus that is not started. All of one run are at the same place: a durable one finds what another left. */
  createBus(options?: ConformanceBusOptions): EventBus;
  /** Lets so many ms go by, real or virtual, and everything happen that is due in them. */
  passTime(ms: number): Promise<void>;
  /** What names of topics and groups begin with, where runs share a broker; default: nothing. */
  readonly prefix?: string;
}

/** One thing that every backend must do. */
export interface ConformanceCase {
  readonly name: string;
  /** Without these the case is to be skipped, see {@link skipReason}. */
  readonly needs: readonly ConformanceNeed[];
  /** @throws AssertionError of node:assert where the backend does something else */
  run(context: ConformanceContext): Promise<void>;
}

/** Why a backend that lacks something cannot be asked to do this; undefined where it can. */
export function skipReason(
  { needs }: ConformanceCase,
  capabilities: Capabilities,
  extras: readonly ConformanceExtra[] = [],
): string | undefined {
  const has = (need: ConformanceNeed): boolean =>
    need in capabilities ? capabilities[need as Capability] : extras.some(extra => extra === need);
  const missing = needs.filter(need => !has(need));
  return missing.length === 0 ? undefined : `the backend lacks ${missing.join(', ')}`;
}
