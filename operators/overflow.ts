import type { Failure, OverflowFailure } from '../src/core/failure.ts';

/** Who has no more room to wait. */
interface Full {
  readonly waiting: number;
  readonly waitingBytes: number;
  /** The bound that is reached. */
  readonly limit: number;
}

/** The failure of a delivery that finds no room to wait; what it failed with before is its cause. */
export function overflowOf(
  { waiting, waitingBytes, limit }: Full,
  { stage, attempts, firstAt, lastAt, cause }: Omit<Failure, 'tag'>,
): OverflowFailure {
  const reason = `${waiting} deliveries of ${waitingBytes} bytes wait already: lower maxInFlight of the source or raise maxWaiting and maxWaitingBytes`;
  return { tag: 'overflow', stage, reason, attempts, firstAt, lastAt, limit, retryable: true, cause };
}
