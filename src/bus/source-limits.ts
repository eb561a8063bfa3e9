import type { SourceOptions } from './event-bus.ts';

/** Unsettled deliveries of a source that is not told how many. */
export const defaultMaxInFlight = 1024;

const defaultMaxBytes = 16 * 1024 * 1024;
/** Uncommitted messages for each delivery that may be unsettled. */
const uncommittedForEach = 8;

/** What a source keeps to, with the defaults of the contract. */
type SourceLimits = Required<Pick<SourceOptions, 'maxInFlight' | 'maxInFlightBytes' | 'maxUncommitted'>>;

export function limitsOf({
  maxInFlight = defaultMaxInFlight,
  maxInFlightBytes = defaultMaxBytes,
  maxUncommitted = maxInFlight * uncommittedForEach,
}: SourceOptions): SourceLimits {
  return { maxInFlight, maxInFlightBytes, maxUncommitted };
}
