import { BehaviorSubject, type OperatorFunction, Subscription, asyncScheduler, switchMap } from 'rxjs';
import { type Delivery, type Failed, type Ok, fail, settlement, withValue } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import type { Marker } from '../src/core/marker.ts';
import type { Message } from '../src/core/message.ts';
import { idleMeter } from '../src/core/meter.ts';
import { wholeNumber } from '../src/core/option.ts';
import { stage } from '../src/core/stage.ts';
import type { Table } from '../src/core/table.ts';
import { AsOfJoin } from './as-of-join.ts';
import type { AsOf, JoinAsOfOptions } from './join-options.ts';

/**
 * Joins each delivery with a table as of its event time: with the newest row at or before that time, never a
 * later one. A delivery waits until the table's watermark says that no such row can come any more; those of
 * its partition wait behind it. Markers of the stream move its progress on and are acked in their turn; the
 * table's deliveries are acked as they come, and held once it has too many rows: its source then pauses.
 *
 * ```
 * table   --x1-----x3--m4-----|
 * stream  -----a2----------b4-|
 * out     ----------a+x1---b+x3|      a2 waits until the table is past 2
 * ```
 *
 * A delivery whose row is no longer kept fails, rather than being joined with a wrong one; if it is older than a
 * marker before it, it is a repetition: counted as late, acked and dropped. Failures of the
 * table's decoding come out with the stream's, so that they are dead-lettered too.
 *
 * Partitions that come may begin before what has been let go for those that were here, so that the table is read once
 * more from its beginning then; of a table by partition no rows are kept but those of partitions that are here.
 *
 * @throws OptionError when made, for a bound out of range
 */
export function joinAsOf<A, T, B>(
  table: Table<T | Marker>,
  project: (value: A, asOf: AsOf<T>, message: Message) => B,
  options: JoinAsOfOptions<A, T>,
): OperatorFunction<Delivery<A | Marker>, Delivery<B>> {
  const { name = 'joinAsOf', scheduler = asyncScheduler, meter = idleMeter } = options;
  wholeNumber(`${name}.maxRows`, options.maxRows ?? 100_000, 1);
  wholeNumber(`${name}.keepMs`, options.keepMs ?? 3_600_000, 0);

  return stage(name, subscriber => {
    const refuse = (delivery: Ok<unknown>, error: unknown): Failed =>
      fail(delivery, handleFailure(name, error, delivery[settlement].attempt, scheduler.now()));
    const emit = (delivery: Ok<A>, asOf: AsOf<T>): void => {
      let result: Delivery<B>;
      try {
        result = withValue(delivery, project(delivery.value, asOf, delivery.message));
      } catch (error) {
        result = refuse(delivery, error);
      }
      subscriber.next(result);
    };
    const reading$ = new BehaviorSubject(undefined);
    const join = new AsOfJoin<A, T>(options, table.partitions, {
      emit,
      refuse: (delivery, error) => subscriber.next(refuse(delivery, error)),
      readAnew: () => reading$.next(undefined),
    });
    const side = new Subscription();
    side.add(meter.gauge('stream_join_waiting', () => join.waiting, { stage: name }));
    side.add(meter.gauge('stream_table_rows', () => join.rows, { stage: name }));
    side.add(table.held$.subscribe(partitions => join.held(partitions)));
    side.add(
      reading$.pipe(switchMap(() => table.rows$)).subscribe({
        next: delivery => {
          if (delivery.ok) join.addRow(delivery);
          else subscriber.next(delivery);
        },
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    return {
      next: (delivery: Delivery<A | Marker>) => {
        if (delivery.ok) join.accept(delivery);
        else subscriber.next(delivery);
      },
      complete: () => {
        join.whenIdle(() => subscriber.complete());
      },
      teardown: () => side.unsubscribe(),
    };
  });
}
