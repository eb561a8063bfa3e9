import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './code-blocks.ts';

/** Operators as `operators/index.ts` exports them, each with its doc comment's first sentence and diagram. */
export interface OperatorDoc {
  readonly name: string;
  readonly diagram: string;
  /** The first sentence of the doc comment. */
  readonly summary: string;
}

const read = (path: string): string => readFileSync(join(projectFolder, path), 'utf8');

export function operatorDocs(): readonly OperatorDoc[] {
  const exported = [...read('operators/index.ts').matchAll(/export \{([^}]*)\} from '\.\/([\w-]+)\.ts'/g)];
  return exported.flatMap(([, names = '', file = '']) => {
    const source = read(`operators/${file}.ts`);
    return names
      .split(',')
      .map(name => name.trim())
      .filter(name => signatureAt(source, name) >= 0)
      .map(name => documented(name, commentOf(source, name)));
  });
}

function documented(name: string, comment: string): OperatorDoc {
  const [, fenced = ''] = /```\n([\s\S]*?)```/.exec(comment) ?? [];
  const [summary = ''] = comment.replaceAll('\n', ' ').split(/(?<=\.) |(?= ```)/);
  return { name, diagram: fenced.trimEnd(), summary: summary.trim() };
}

/** The text of the doc comment right above the first signature of a function. */
function commentOf(source: string, name: string): string {
  const before = source.slice(0, signatureAt(source, name));
  const comment = before.slice(before.lastIndexOf('/**') + 3, before.lastIndexOf('*/'));
  return comment.replaceAll(/^ \* ?/gm, '').trimStart();
}

function signatureAt(source: string, name: string): number {
  return source.search(new RegExp(`^export function ${name}[<(]`, 'm'));
}
