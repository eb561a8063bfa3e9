import { Observable } from 'rxjs';

/** A Promise as an Observable: begun at subscription, its signal aborts at unsubscription or with the given one. */
export function abortable<A>(begin: (signal: AbortSignal) => Promise<A>, outer: AbortSignal): Observable<A> {
  return new Observable(subscriber => {
    const controller = new AbortController();
    subscriber.add(() => controller.abort());
    begin(AbortSignal.any([outer, controller.signal])).then(
      value => {
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => subscriber.error(error),
    );
  });
}
