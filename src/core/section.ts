import { Observable, type Observer, type OperatorFunction, type Subscriber } from 'rxjs';
import type { Delivery } from './delivery.ts';
import { stage } from './stage.ts';

/** A part of a chain that an operator stands around. */
export type Section<A, B> = OperatorFunction<Delivery<A>, Delivery<B>>;

/** What an operator around a section does; it alone lets deliveries into the section. */
interface AroundSection<A, B> {
  /** A delivery comes from the source. */
  readonly next: (delivery: Delivery<A>) => void;
  /** A delivery comes out of the section. */
  readonly left: (delivery: Delivery<B>) => void;
  /** The source has completed; default: so has what comes into the section. */
  readonly complete?: () => void;
  /** The section has completed; default: so has the operator. */
  readonly ended?: () => void;
  readonly teardown?: () => void;
}

/**
 * Makes an operator that stands around a section of the chain, as `stage` makes one that stands alone. An error
 * of the source or of the section is the operator's.
 */
export function aroundSection<A, B>(
  name: string,
  section: Section<A, B>,
  connect: (subscriber: Subscriber<Delivery<B>>, entrance: Observer<Delivery<A>>) => AroundSection<A, B>,
): Section<A, B> {
  return source => {
    const around$ = new Observable<Delivery<B>>(subscriber => {
      const entrance = new Entrance<Delivery<A>>();
      const { next, left, complete, ended, teardown } = connect(subscriber, entrance);
      if (teardown) subscriber.add(teardown);
      const error = (cause: unknown): void => subscriber.error(cause);
      subscriber.add(
        section(entrance.entered$).subscribe({
          next: left,
          error,
          complete: ended ?? (() => subscriber.complete()),
        }),
      );
      return source.subscribe({ next, error, complete: complete ?? (() => entrance.complete()) });
    });
    // For drawings, which follow this link: the operator, then what it stands around. Nobody subscribes to it.
    return Object.assign(around$, { source: source.pipe(named(name), section) });
  };
}

/** What goes into a section. A Subject would do, but may have many observers, and takes twice the time for it. */
class Entrance<A> implements Observer<A> {
  #inside: Subscriber<A> | undefined;
  readonly entered$: Observable<A> = new Observable<A>(inside => {
    this.#inside = inside;
  });

  next(value: A): void {
    this.#inside?.next(value);
  }

  error(cause: unknown): void {
    this.#inside?.error(cause);
  }

  complete(): void {
    this.#inside?.complete();
  }
}

function named<A>(name: string): Section<A, A> {
  return stage(name, subscriber => ({ next: (delivery: Delivery<A>) => subscriber.next(delivery) }));
}
