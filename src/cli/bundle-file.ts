import { dirname, join } from 'node:path';
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { shippedPipelines } from '../../pipelines/index.ts';
import { type BackendConfig, loadBackends, shippedBackends } from '../config/backends.ts';
import { type BundleConfig, bundleConfig } from '../config/bundle.ts';
import type { ConfigProblem } from '../config/config-problem.ts';
import { checkBundle } from '../config/cross-checks.ts';
import { loadLocated } from '../config/load-config.ts';
import { CliError } from './cli-error.ts';
import { configError } from './settings.ts';

interface Loaded {
  readonly bundle: BundleConfig;
  readonly backend: BackendConfig;
}

/** The bundle and the backend that it names; what is wrong in either is told at once. */
export function loadBundleWith(file: string, configDir: string): Loaded {
  const located = orThrow(loadLocated(file, bundleConfig(shippedBackends), process.env));
  const backends = orThrow(
    loadBackends(join(configDir, 'stream/backends.yaml'), shippedBackends, process.env),
  );
  const problems = checkBundle(located, {
    pipelines: shippedPipelines().map(({ name }) => name),
    backends: Object.keys(backends.backends),
  });
  if (problems.length > 0) throw configError(problems);
  const bundle = located.value;
  const backend = typeof bundle.backend === 'string' ? backends.backends[bundle.backend] : bundle.backend;
  if (backend === undefined) throw new CliError(2, `${file}: the backend is not in ${dirname(configDir)}`);
  return { bundle, backend };
}

function orThrow<A>(result: Either<readonly ConfigProblem[], A>): A {
  if (isLeft(result)) throw configError(result.left);
  return result.right;
}
