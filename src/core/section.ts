import { type OperatorFunction, Subject, type Subscriber } from 'rxjs';
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
  connect: (subscriber: Subscriber<Delivery<B>>, entrance: Subject<Delivery<A>>) => AroundSection<A, B>,
): Section<A, B> {
  const around = stage<Delivery<A>, Delivery<B>>(name, subscriber => {
    const entrance = new Subject<Delivery<A>>();
    const { next, left, complete, ended, teardown } = connect(subscriber, entrance);
    const inside = section(entrance).subscribe({
      next: left,
      error: (error: unknown) => subscriber.error(error),
      complete: ended ?? (() => subscriber.complete()),
    });
    return {
      next,
      complete: complete ?? (() => entrance.complete()),
      teardown: () => {
        teardown?.();
        inside.unsubscribe();
      },
    };
  });
  // The operators of the section are part of the chain for who asks for its stages.
  return source => Object.assign(around(source), { source: section(source) });
}
