import { BusError } from '../../../core/publisher.ts';

/** Of a transaction that can no longer be committed, because its producer or the member that it is for is replaced. */
export function fencedError({ id }: { readonly id: string }, cause: Error): BusError {
  return new BusError('fenced', `transaction of ${id}: ${cause.message}: what was sent in it is never seen`, {
    cause,
  });
}
