import { NEVER, type Observable, type OperatorFunction } from 'rxjs';
import type { Delivery } from './delivery.ts';
import { wholeNumber } from './option.ts';

/** The table side of a join: rows out of a topic, from its beginning whenever they are subscribed to. */
export interface Table<T> {
  readonly rows$: Observable<Delivery<T>>;
  /** Partitions of the table's topic. */
  readonly partitions: number;
  /**
   * The partitions of the stream that are read here, whenever they come or go; where none is left, they are about
   * to be shared out anew. Silent: all of them, always.
   */
  readonly held$: Observable<ReadonlySet<number>>;
  /** The table with other rows: decoded, say. */
  pipe<U>(operator: OperatorFunction<Delivery<T>, Delivery<U>>): Table<U>;
}

/**
 * A table out of rows, for joins outside of pipelines; in a pipeline its context makes them.
 *
 * @param partitions of the table's topic; default 1
 * @throws OptionError for less than one partition
 */
export function tableOf<T>(
  rows$: Observable<Delivery<T>>,
  partitions = 1,
  held$: Table<T>['held$'] = NEVER,
): Table<T> {
  wholeNumber('tableOf.partitions', partitions, 1);
  return { rows$, partitions, held$, pipe: operator => tableOf(rows$.pipe(operator), partitions, held$) };
}
