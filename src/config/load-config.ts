import { isLeft, left, map, right, type Either } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import type { ConfigProblem, Issue } from './config-problem.ts';
import type { Environment } from './environment.ts';
import { locate, pathTo, plainValue, type Located, type Steps } from './located.ts';
import { maxFileSize, readText, tooLarge } from './read-text.ts';
import { readYaml } from './read-yaml.ts';
import { validate } from './validate.ts';
import { asWhole } from './whole-value.ts';

/** The settings of a file together with the places where they stand. */
export interface LoadedConfig<A> {
  readonly file: string;
  readonly value: A;
  readonly root: Located;
}

/** A file and what is written in it, whether or not it is valid. */
export type ConfigTree = Pick<LoadedConfig<unknown>, 'file' | 'root'>;

/** What to look for in a file beside what its codec asks of each value. */
export type ConfigChecks = (tree: ConfigTree) => readonly ConfigProblem[];

/**
 * Reads a YAML file into settings. `${NAME}` and `${NAME:-default}` in values are replaced from the
 * environment; values of variables never appear in a problem.
 *
 * @param file at most 1 MB of UTF-8
 * @returns the settings, or every problem of the file at once; never throws for what a file may hold
 */
export function loadConfig<A>(
  file: string,
  codec: t.Type<A, unknown>,
  env: Environment,
  checks?: ConfigChecks,
): Either<readonly ConfigProblem[], A> {
  return map(({ value }: LoadedConfig<A>) => value)(loadLocated(file, codec, env, checks));
}

/** As {@link loadConfig}, with the places kept for checks across files. */
export function loadLocated<A>(
  file: string,
  codec: t.Type<A, unknown>,
  env: Environment,
  checks?: ConfigChecks,
): Either<readonly ConfigProblem[], LoadedConfig<A>> {
  const text = readText(file);
  return isLeft(text)
    ? left([wholeFile(file, text.left)])
    : parseConfig(file, text.right, codec, env, checks);
}

/**
 * As {@link loadLocated}, from a text that is at hand.
 *
 * @param file the name that problems carry
 */
export function parseConfig<A>(
  file: string,
  text: string,
  codec: t.Type<A, unknown>,
  env: Environment,
  checks: ConfigChecks = () => [],
): Either<readonly ConfigProblem[], LoadedConfig<A>> {
  if (text.length > maxFileSize) return left([wholeFile(file, tooLarge(text.length))]);
  const { root, issues } = readYaml(text, env);
  const inFile = (found: readonly Issue[]): readonly ConfigProblem[] =>
    found.map(issue => ({ file, ...issue }));
  if (!root) return left(inFile(issues));
  const finding = validate(codec, root);
  const problems = [...inFile([...issues, ...finding.issues]), ...checks({ file, root })];
  if (problems.length > 0) return left(problems);
  const decoded = codec.decode(plainValue(root, new Set(finding.asText)));
  return isLeft(decoded)
    ? left(inFile(asWhole(codec, root, '', finding.asText).issues))
    : right({ file, value: decoded.right, root });
}

/** A problem at the place of a value that is valid by itself but not together with others. */
export function problemAt({ file, root }: ConfigTree, steps: Steps, text: string): ConfigProblem {
  return { file, at: locate(root, steps).at, path: steps.reduce<string>(pathTo, ''), text };
}

function wholeFile(file: string, text: string): ConfigProblem {
  return { file, at: { line: 1, column: 1 }, path: '', text };
}
