import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectFolder } from './code-blocks.ts';

/** An `@example` of a public export, as it stands in the doc comment. */
export interface DocExample {
  readonly file: string;
  readonly code: string;
}

/** The public entry points: how a user imports each, and where it is. */
const entries: Readonly<Record<string, string>> = {
  'cryptorun-streams': 'src/index.ts',
  'cryptorun-streams/operators': 'operators/index.ts',
  'cryptorun-streams/pipelines': 'pipelines/index.ts',
  'cryptorun-streams/testing': 'src/testing/index.ts',
};

const read = (path: string): string => readFileSync(join(projectFolder, path), 'utf8');

/** The examples of all files from which an entry point exports. */
export function docExamples(): readonly DocExample[] {
  const files = Object.values(entries).flatMap(entry =>
    [...read(entry).matchAll(/ from '(\.[^']+)'/g)].map(([, path = '']) => join(dirname(entry), path)),
  );
  return [...new Set(files)].flatMap(file =>
    [...read(file).matchAll(/^ *\* @example\n((?: *\* ?(?!@).*\n)+?)(?= *\*\/| *\* @)/gm)].map(
      ([, lines = '']) => ({ file, code: lines.replaceAll(/^ *\* ?/gm, '') }),
    ),
  );
}

/** What an example takes for granted, by name. */
const given: Readonly<Record<string, string>> = {
  t: `import * as t from 'io-ts';`,
  it: `import { it } from 'vitest';`,
  expect: `import { expect } from 'vitest';`,
  filter: `import { filter } from 'rxjs';`,
  mergeMap: `import { mergeMap } from 'rxjs';`,
  bus: `declare const bus: import('cryptorun-streams').EventBus;`,
  acmeBus: `declare const acmeBus: (options: { readonly url: string }) => import('cryptorun-streams').EventBus;`,
  words: `declare const words: import('cryptorun-streams').Topic<string>;`,
  shouted: `declare const shouted: import('cryptorun-streams').Topic<string>;`,
  upper: `declare const upper: import('cryptorun-streams').Pipeline;`,
  source: `declare const source: import('cryptorun-streams').PipelineContext['source'];`,
  // A topic to some examples, a stream of its values to others.
  prices: `declare const prices: import('cryptorun-streams').Topic<import('cryptorun-streams').MarketPrice> &
    import('rxjs').Observable<import('cryptorun-streams').Delivery<import('cryptorun-streams').MarketPrice>>;`,
  scores: `declare const scores: import('rxjs').Observable<
    import('cryptorun-streams').Delivery<import('cryptorun-streams/pipelines').MomentumScore>>;`,
  orders: `declare const orders: import('rxjs').Observable<
    import('cryptorun-streams').Delivery<{ readonly lines: readonly string[] }>>;`,
  enrich: `declare const enrich: <A>(value: A) => Promise<A>;`,
  expectDeliveries: `declare const expectDeliveries: import('cryptorun-streams/testing').DeliveryKit['expectDeliveries'];`,
  out: `declare const out: import('rxjs').Observable<import('cryptorun-streams').Delivery<unknown>>;`,
};

/** An example as a program that compiles: with the imports and declarations of what it names. */
export function programOf({ code }: DocExample): string {
  const used = new Set(code.replaceAll(/'[^']*'|\.\w+/g, '').match(/\b[A-Za-z]\w*\b/g));
  const binding = /const (\w+|\{[^}]*\}) =|\(\{([^}]*)\}\) =>/g;
  const declared = new Set(
    [...code.matchAll(binding)].flatMap(
      ([, named, destructured]) => (named ?? destructured ?? '').match(/\w+/g) ?? [],
    ),
  );
  const lines = Object.entries(given).flatMap(([name, line]) =>
    used.has(name) && !declared.has(name) ? [line] : [],
  );
  for (const [specifier, entry] of Object.entries(entries)) {
    const names = exportsOf(entry).filter(name => used.has(name) && !given[name]);
    if (names.length > 0) lines.push(`import { ${names.join(', ')} } from '${specifier}';`);
  }
  // `(...)` stands for arguments that do not matter.
  return [...lines, code.replaceAll('(...)', '()'), 'export {};'].join('\n');
}

/** The names of the values that an entry point exports. */
function exportsOf(entry: string): readonly string[] {
  return [...read(entry).matchAll(/export \{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '' && !name.startsWith('type '))
      .map(name => name.split(' as ').at(-1) ?? name),
  );
}
