import type { ConfigProblem } from './config-problem.ts';
import { problemAt, type ConfigTree } from './load-config.ts';
import { locate } from './located.ts';

/** Pipelines that a bundle names twice. */
export function repeatedPipelines(bundle: ConfigTree): readonly ConfigProblem[] {
  const list = locate(bundle.root, ['pipelines']);
  const seen = new Set<unknown>();
  return (list.kind === 'list' ? list.items : []).flatMap((_, index) => {
    const steps = ['pipelines', index, 'name'];
    const name = locate(bundle.root, steps);
    if (name.kind !== 'scalar') return [];
    const again = seen.has(name.value);
    seen.add(name.value);
    return again ? [problemAt(bundle, steps, 'is in this bundle already, keep one of the two')] : [];
  });
}

/** Bundles that share a name, which then stands for neither. */
export function checkBundleNames(bundles: readonly ConfigTree[]): readonly ConfigProblem[] {
  const first = new Map<unknown, string>();
  return bundles.flatMap(bundle => {
    const name = locate(bundle.root, ['name']);
    if (name.kind !== 'scalar') return [];
    const taken = first.get(name.value);
    first.set(name.value, taken ?? bundle.file);
    return taken === undefined
      ? []
      : [problemAt(bundle, ['name'], `is the name of ${taken} too, choose another`)];
  });
}
