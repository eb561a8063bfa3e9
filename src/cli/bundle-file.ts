import { join } from 'node:path';
import { shippedPipelines } from '../../pipelines/index.ts';
import { type BackendConfig, loadBackends, shippedBackends } from '../config/backends.ts';
import { type BundleConfig, bundleConfig } from '../config/bundle.ts';
import { ConfigReader } from '../config/config-reader.ts';
import { checkBundle } from '../config/cross-checks.ts';
import { loadConfig } from '../config/load-config.ts';
import { type Settings, configError, readSettings } from './settings.ts';

interface Loaded {
  readonly bundle: BundleConfig;
  readonly backend: BackendConfig;
  readonly settings: Settings;
}

/**
 * The bundle, the backend that it names, and the settings of the folder.
 *
 * @throws CliError with all that is wrong in any of them
 */
export function loadBundleWith(file: string, configDir: string): Loaded {
  const reader = new ConfigReader();
  const backendsFile = join(configDir, 'stream/backends.yaml');
  const backends = reader.take(loadBackends(backendsFile, shippedBackends, process.env))?.backends;
  const codec = bundleConfig(shippedBackends, {
    pipelines: shippedPipelines().map(({ name }) => name),
    backends: backends && Object.keys(backends),
  });
  const bundle = reader.take(loadConfig(file, codec, process.env, tree => checkBundle(tree, backends)));
  const settings = readSettings(configDir, reader);
  const named = bundle?.backend;
  const backend = typeof named === 'string' ? backends?.[named] : named;
  if (reader.problems.length > 0 || !bundle || !backend || !settings) throw configError(reader.problems);
  return { bundle, backend, settings };
}
