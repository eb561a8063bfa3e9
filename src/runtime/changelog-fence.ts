import { Observable } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import { changelogOf } from './snapshot-format.ts';

/**
 * Writes a mark to a unit's part of a changelog, and emits its offset. Once it can be read, all that was written there
 * before is decided, whoever wrote it: a process that had the partitions before may just have.
 */
export function fenceChangelog(
  bus: EventBus,
  pipeline: string,
  unit: number,
  key: string,
): Observable<number> {
  const { name } = changelogOf(pipeline);
  return new Observable(subscriber =>
    bus.send({ topic: name, key, payload: null, partition: unit, patient: true }, (error, receipt) => {
      if (receipt) subscriber.next(receipt.offset);
      if (error) subscriber.error(error);
      else subscriber.complete();
    }),
  );
}
