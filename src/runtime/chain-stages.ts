import type { Observable } from 'rxjs';
import { behindOf, comesFrom, partialStagesOf, stagesOf } from '../core/stage.ts';

/** The operators of a pipeline's chain, in order, as far as they can be known. */
export class ChainStages {
  /** By how much outputs may be older than what they come from, ms of event time. */
  readonly behindMs: number;
  /** Whether all of them are known: the chain comes from its source without a branch. */
  readonly areAllKnown: boolean;
  /** Those that may have done part of what a delivery causes. */
  readonly partial: readonly string[];
  readonly #names: readonly string[];

  constructor(chain$: Observable<unknown>, sources: ReadonlySet<Observable<unknown>>) {
    this.behindMs = behindOf(chain$);
    this.areAllKnown = comesFrom(chain$, sources);
    this.partial = partialStagesOf(chain$);
    this.#names = stagesOf(chain$);
  }

  /** The place of the first of these; before all others where one of them is not known. */
  firstOf(names: readonly string[]): number {
    return names.reduce((first, name) => Math.min(first, this.#names.indexOf(name)), this.#names.length);
  }

  /** The names that only operators before this place have. */
  before(place: number): readonly string[] {
    return this.#names.filter(name => this.isBefore(name, place));
  }

  /** Whether no operator of this name is known to stand at this place or behind it. */
  isBefore(name: string, place: number): boolean {
    return this.#names.lastIndexOf(name) < place;
  }
}
