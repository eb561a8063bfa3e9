import { kindsWithoutTransactions } from './backends.ts';
import type { ConfigProblem } from './config-problem.ts';
import { problemAt, type ConfigTree } from './load-config.ts';
import { locate } from './located.ts';

/** Backends that a bundle may name, by what matters of them here; undefined where they are not known. */
type NamedBackends = Readonly<Record<string, { readonly kind: string }>> | undefined;

/** What is wrong with a bundle beside its values, each by itself. */
export function checkBundle(bundle: ConfigTree, backends: NamedBackends): readonly ConfigProblem[] {
  return [...repeatedPipelines(bundle), ...unkeptGuarantees(bundle, backends)];
}

/** Pipelines that a bundle names twice. */
function repeatedPipelines(bundle: ConfigTree): readonly ConfigProblem[] {
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

/** Pipelines of which a bundle promises more than its backend can keep. */
function unkeptGuarantees(bundle: ConfigTree, backends: NamedBackends): readonly ConfigProblem[] {
  const list = locate(bundle.root, ['pipelines']);
  const kind = kindOf(bundle, backends);
  if (list.kind !== 'list' || kind === undefined || !kindsWithoutTransactions.includes(kind)) return [];
  return list.items.flatMap((_, index) => {
    const steps = ['pipelines', index, 'guarantee'];
    const guarantee = locate(bundle.root, steps);
    if (guarantee.kind !== 'scalar' || guarantee.value !== 'exactly-once') return [];
    return [
      problemAt(
        bundle,
        steps,
        `is more than a backend of kind ${kind} can keep, take one of kind kafka, or another guarantee`,
      ),
    ];
  });
}

/** Of the backend that a bundle names, or holds. */
function kindOf({ root }: ConfigTree, backends: NamedBackends): string | undefined {
  const backend = locate(root, ['backend']);
  if (backend.kind === 'scalar')
    return typeof backend.value === 'string' ? backends?.[backend.value]?.kind : undefined;
  const kind = locate(root, ['backend', 'kind']);
  return kind.kind === 'scalar' && typeof kind.value === 'string' ? kind.value : undefined;
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
