import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { type ConfigProblem, formatProblems } from '../config/config-problem.ts';
import { CliError } from './cli-error.ts';

/** Gathers what is wrong in several files, so that all of it is told at once. */
export class ConfigReader {
  readonly #problems: ConfigProblem[] = [];

  /** What was read; undefined where it has problems. */
  take<A>(result: Either<readonly ConfigProblem[], A>): A | undefined {
    if (!isLeft(result)) return result.right;
    this.#problems.push(...result.left);
    return undefined;
  }

  /** @throws CliError where anything is wrong */
  check(): void {
    if (this.#problems.length > 0) throw configError(this.#problems);
  }
}

/** Problems of the configuration as the end of a command. */
export function configError(problems: readonly ConfigProblem[]): CliError {
  return new CliError(2, formatProblems(problems));
}
