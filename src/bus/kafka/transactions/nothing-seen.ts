import { BusError } from '../../../core/publisher.ts';

/** Said of a transaction that was given up before it was committed, and of what is still asked of it. */
export function nothingSeen(id: string, why: string): BusError {
  return new BusError(
    'unavailable',
    `transaction of ${id}: ${why}, and nothing of it is seen: open a new one, which begins at what was committed`,
  );
}
