import { BusError } from '../../core/publisher.ts';
import { LogError } from '../../log/log-error.ts';

/**
 * Runs work on the disk; what it throws becomes a BusError `storage` that says where, what and what to do.
 *
 * @param place what was being worked on, for example `prices[3]`
 */
export function onDisk<A>(place: string, work: () => A): A {
  try {
    return work();
  } catch (cause) {
    throw asStorageError(place, cause);
  }
}

/** The BusError of what work on the disk threw. */
export function asStorageError(place: string, cause: unknown): BusError {
  if (cause instanceof BusError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const remedy = cause instanceof LogError ? '' : ' Look into the folder, then start the bus again.';
  return new BusError('storage', `${place}: ${text}${remedy}`, { cause });
}
