import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';

/** The name of the operator that made an Observable, for drawings, metrics and failures. */
const stageName: unique symbol = Symbol('stage');

/**
 * Makes an operator with a name out of what happens at subscription. Subscribes to the source itself, and
 * passes its error and completion on unless `connect` returns handlers of its own.
 */
export function stage<A, B>(
  name: string,
  connect: (subscriber: Subscriber<B>) => {
    readonly next: (value: A) => void;
    readonly complete?: () => void;
    readonly teardown?: () => void;
  },
): OperatorFunction<A, B> {
  return source => {
    const staged = new Observable<B>(subscriber => {
      const { next, complete, teardown } = connect(subscriber);
      if (teardown) subscriber.add(teardown);
      return source.subscribe({
        next,
        error: (error: unknown) => subscriber.error(error),
        complete: complete ?? (() => subscriber.complete()),
      });
    });
    return Object.assign(staged, { [stageName]: name, source });
  };
}

interface Linked {
  readonly [stageName]?: string;
  readonly source?: Linked;
}

/** The names of our operators from the source to here; plain RxJS between them has none. */
export function stagesOf(chain$: Observable<unknown>): readonly string[] {
  const names: string[] = [];
  // RxJS links an Observable to the one it was made from; there is no public way to ask.
  for (let at: Linked | undefined = chain$ as Linked; at !== undefined; at = at.source) {
    if (at[stageName] !== undefined) names.unshift(at[stageName]);
  }
  return names;
}
