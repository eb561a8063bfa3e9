import type { BackendKinds, BackendsConfig } from './backends.ts';
import type { BundleConfig } from './bundle.ts';
import type { ConfigProblem } from './config-problem.ts';
import { problemAt, type LoadedConfig } from './load-config.ts';
import { locate, shown } from './located.ts';
import { knownNames } from './nearest-name.ts';

/** What a bundle may refer to. */
export interface KnownNames {
  readonly pipelines: readonly string[];
  /** Undefined where they are not known because their file has problems of its own. */
  readonly backends: readonly string[] | undefined;
}

/** What is wrong with a bundle's references to pipelines and backends. */
export function checkBundle<Kinds extends BackendKinds>(
  bundle: LoadedConfig<BundleConfig<Kinds>>,
  known: KnownNames,
): readonly ConfigProblem[] {
  return [...checkBackend(bundle, known.backends), ...checkPipelines(bundle, known.pipelines)];
}

function checkBackend<Kinds extends BackendKinds>(
  bundle: LoadedConfig<BundleConfig<Kinds>>,
  known: readonly string[] | undefined,
): readonly ConfigProblem[] {
  const { backend } = bundle.value;
  if (typeof backend !== 'string' || !known || known.includes(backend)) return [];
  return [unknownReference(bundle, ['backend'], 'backend', known)];
}

function checkPipelines<Kinds extends BackendKinds>(
  bundle: LoadedConfig<BundleConfig<Kinds>>,
  known: readonly string[],
): readonly ConfigProblem[] {
  const seen = new Set<string>();
  return bundle.value.pipelines.flatMap(({ name }, index) => {
    const steps = ['pipelines', index, 'name'];
    const again = seen.has(name);
    seen.add(name);
    if (!known.includes(name)) return [unknownReference(bundle, steps, 'pipeline', known)];
    return again ? [problemAt(bundle, steps, 'is in this bundle already, keep one of the two')] : [];
  });
}

function unknownReference(
  config: LoadedConfig<unknown>,
  steps: readonly (string | number)[],
  what: string,
  known: readonly string[],
): ConfigProblem {
  const node = locate(config.root, steps);
  // What came from the environment is not compared: the nearest name would tell about it.
  const name = node.kind === 'scalar' && node.written === undefined ? String(node.value) : '';
  return problemAt(config, steps, `${shown(node, '')} is no known ${what}, ${knownNames(name, known)}`);
}

/** Bundles that share a name, which then stands for neither. */
export function checkBundleNames(
  bundles: readonly LoadedConfig<{ readonly name: string }>[],
): readonly ConfigProblem[] {
  const first = new Map<string, string>();
  return bundles.flatMap(bundle => {
    const taken = first.get(bundle.value.name);
    first.set(bundle.value.name, taken ?? bundle.file);
    return taken === undefined
      ? []
      : [problemAt(bundle, ['name'], `is the name of ${taken} too, choose another`)];
  });
}

/** Names of the backends that were read, if they were. */
export function backendNames<Kinds extends BackendKinds>(
  loaded: LoadedConfig<BackendsConfig<Kinds>> | undefined,
): readonly string[] | undefined {
  return loaded && Object.keys(loaded.value.backends);
}
