import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { ConfigProblem } from './config-problem.ts';

/** Gathers what is wrong in several files, so that all of it is told at once. */
export class ConfigReader {
  readonly #problems: ConfigProblem[] = [];

  get problems(): readonly ConfigProblem[] {
    return this.#problems;
  }

  /** What was read; undefined where it has problems. */
  take<A>(result: Either<readonly ConfigProblem[], A>): A | undefined {
    if (!isLeft(result)) return result.right;
    this.#problems.push(...result.left);
    return undefined;
  }
}
