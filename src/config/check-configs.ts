import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import type * as t from 'io-ts';
import { backendsConfig, type BackendKinds } from './backends.ts';
import { bundleConfig } from './bundle.ts';
import type { ConfigProblem } from './config-problem.ts';
import { ConfigReader } from './config-reader.ts';
import { checkBundle, checkBundleNames } from './cross-checks.ts';
import type { Environment } from './environment.ts';
import { loadLocated, type ConfigChecks, type ConfigTree, type LoadedConfig } from './load-config.ts';
import { knownNames } from './nearest-name.ts';
import { TopicsConfig } from './topics.ts';

/** A file of the folder and what it has to be. */
export interface ConfigFile {
  /** Relative to the folder, such as `momentum.yaml`. */
  readonly file: string;
  readonly codec: t.Mixed;
}

export interface CheckConfigsOptions {
  readonly env: Environment;
  /** The pipelines that a bundle may name. */
  readonly pipelines: readonly string[];
  /** The kinds of backend that are registered. */
  readonly kinds: BackendKinds;
  /** Files beyond topics, backends and bundles; each has to be there. Default: none. */
  readonly files?: readonly ConfigFile[];
}

const maxFiles = 1000;
const topicsFile = 'stream/topics.yaml';
const backendsFile = 'stream/backends.yaml';

/**
 * Checks all YAML files of a folder, each by itself and all together, and returns every problem of all of
 * them; none means that the folder can be used. A YAML file that nothing reads is a problem too.
 */
export function checkConfigs(dir: string, options: CheckConfigsOptions): readonly ConfigProblem[] {
  const found = yamlFiles(dir);
  if (typeof found === 'string') return [problem(dir, found)];
  const reader = new ConfigReader();
  const read = <A>(
    file: string,
    codec: t.Type<A, unknown>,
    checks?: ConfigChecks,
  ): LoadedConfig<A> | undefined => reader.take(loadLocated(join(dir, file), codec, options.env, checks));

  const extra = options.files ?? [];
  read(topicsFile, TopicsConfig);
  const backends = read(backendsFile, backendsConfig(options.kinds))?.value.backends;
  for (const { file, codec } of extra) read(file, codec);
  const codec = bundleConfig(options.kinds, {
    pipelines: options.pipelines,
    backends: backends && Object.keys(backends),
  });
  const bundles: ConfigTree[] = [];
  const checkAndKeep = (tree: ConfigTree): readonly ConfigProblem[] => {
    bundles.push(tree);
    return checkBundle(tree, backends);
  };
  for (const file of found.filter(isBundle)) read(file, codec, checkAndKeep);
  return [
    ...reader.problems,
    ...checkBundleNames(bundles),
    ...unread(dir, found, [topicsFile, backendsFile, ...extra.map(({ file }) => file)]),
  ];
}

function unread(dir: string, found: readonly string[], known: readonly string[]): readonly ConfigProblem[] {
  return found
    .filter(file => !isBundle(file) && !known.includes(file))
    .map(file => problem(join(dir, file), `nothing reads this file, ${knownNames(file, known)}`));
}

function isBundle(file: string): boolean {
  return /^bundles\/[^/]+\.ya?ml$/.test(file);
}

/** The YAML files of a folder, relative to it with forward slashes, or what keeps it from being read. */
function yamlFiles(dir: string): readonly string[] | string {
  try {
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .map(file => file.split(sep).join('/'))
      .filter(file => /\.ya?ml$/.test(file))
      .toSorted();
    return files.length > maxFiles
      ? `holds more than ${maxFiles} YAML files, name the folder of configs`
      : files;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return `the folder cannot be read (${code}), name the folder of configs`;
  }
}

function problem(file: string, text: string): ConfigProblem {
  return { file, at: { line: 1, column: 1 }, path: '', text };
}
