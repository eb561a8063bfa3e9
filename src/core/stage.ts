import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';

/** The name of the operator that made an Observable, for drawings, metrics and failures. */
const stageName: unique symbol = Symbol('stage');
/** Who lets a delivery go that reaches no operator; no operator is called so. */
export const sourceStage = '(source)';
/** What there is to know of an operator beside its name. */
const stageTraits: unique symbol = Symbol('traits');

interface StageTraits {
  /** How many deliveries it must hold before it lets any of them go; default 1. */
  readonly gathers?: number;
  /** See {@link partialStage}; default false. */
  readonly partial?: boolean;
  /** By how much an output may be older than what it comes from, ms of event time; default 0. */
  readonly behindMs?: number;
}

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
  traits: StageTraits = {},
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
    return Object.assign(staged, { [stageName]: name, [stageTraits]: traits, source });
  };
}

/**
 * As `stage`, for an operator that may have done part of what a delivery causes while the delivery is still on its
 * way: it publishes, or makes several of one.
 */
export function partialStage<A, B>(
  ...[name, connect, traits]: Parameters<typeof stage<A, B>>
): OperatorFunction<A, B> {
  return stage(name, connect, { ...traits, partial: true });
}

interface Linked {
  readonly [stageName]?: string;
  readonly [stageTraits]?: StageTraits;
  readonly source?: Linked;
}

/**
 * A chain, back from its end to its source. RxJS links an Observable to the one it was made from; there is no public way
 * to ask.
 */
function* linksOf(chain$: Observable<unknown>): Generator<Linked, void> {
  for (let at: Linked | undefined = chain$ as Linked; at !== undefined; at = at.source) yield at;
}

/** The names of our operators from the source to here; plain RxJS between them has none. */
export function stagesOf(chain$: Observable<unknown>): readonly string[] {
  return namesOf([...linksOf(chain$)]);
}

/** The names of the operators that may have done part of what a delivery causes while it is still on its way. */
export function partialStagesOf(chain$: Observable<unknown>): readonly string[] {
  return namesOf([...linksOf(chain$)].filter(link => link[stageTraits]?.partial === true));
}

/** Whether a chain comes from one of these without a branch, so that all of its operators are known. */
export function comesFrom(chain$: Observable<unknown>, sources: ReadonlySet<Observable<unknown>>): boolean {
  return [...linksOf(chain$)].some(link => (sources as ReadonlySet<Linked>).has(link));
}

function namesOf(links: readonly Linked[]): readonly string[] {
  return links.flatMap(link => link[stageName] ?? []).reverse();
}

/** By how much what comes out of a chain may be older than the message that causes it, ms of event time. */
export function behindOf(chain$: Observable<unknown>): number {
  return [...linksOf(chain$)].reduce((sum, link) => sum + (link[stageTraits]?.behindMs ?? 0), 0);
}

/** The operator that must hold the most deliveries at once, and how many; undefined where none needs more than one. */
export function largestGathering(
  chain$: Observable<unknown>,
): { readonly stage: string; readonly count: number } | undefined {
  let largest: { readonly stage: string; readonly count: number } | undefined;
  for (const { [stageName]: name = '', [stageTraits]: traits } of linksOf(chain$)) {
    const count = traits?.gathers ?? 1;
    if (count > (largest?.count ?? 1)) largest = { stage: name, count };
  }
  return largest;
}
