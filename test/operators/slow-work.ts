import { type Observable, type SchedulerLike, delayWhen, mergeMap, of, throwError, timer } from 'rxjs';

/** Whether a value is one of those that fail. */
export const fails = (value: string, modulo: number): boolean => Number(value) % modulo === 1;

/** Work that takes up to twice so many ms; 1 in so many values errors. */
export function slow(
  ms: number,
  modulo: number,
  scheduler: SchedulerLike,
): (value$: Observable<string>) => Observable<string> {
  return value$ =>
    value$.pipe(
      // Unequal, so that only the operator keeps the order.
      delayWhen(value => timer((Number(value) % 3) * ms, scheduler)),
      mergeMap(value => (fails(value, modulo) ? throwError(() => new Error('errored')) : of(value))),
    );
}
