import type * as t from 'io-ts';
import { choicesOf, shapeOf } from './codec-shape.ts';
import { expectation } from './expectation.ts';
import { pathTo } from './located.ts';

interface Row {
  readonly key: string;
  readonly takes: string;
  readonly fallback: string;
  readonly doc: string;
}

const deepest = 16;

/** A Markdown table of the keys that a codec knows: what each takes, its default, and what it means. */
export function describeConfig(codec: t.Mixed): string {
  const lines = rowsOf(codec, '', true, 0).map(
    ({ key, takes, fallback, doc }) => `| \`${key}\` | ${cell(takes)} | ${fallback} | ${cell(doc)} |`,
  );
  return ['| key | takes | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function rowsOf(codec: t.Mixed, path: string, required: boolean, depth: number): readonly Row[] {
  const inside = depth < deepest ? rowsInside(codec, path, depth) : [];
  const shape = shapeOf(codec);
  if (path === '' || (inside.length > 0 && shape?._tag !== 'FieldType')) return inside;
  const field = shape?._tag === 'FieldType' ? shape : undefined;
  const fallback = field?.fallback ? `\`${JSON.stringify(field.fallback.written)}\`` : '';
  const own: Row = {
    key: path,
    takes: takes(codec),
    fallback: fallback || (required ? 'required' : 'none'),
    doc: field?.doc ?? '',
  };
  return [own, ...inside];
}

function rowsInside(codec: t.Mixed, path: string, depth: number): readonly Row[] {
  const shape = shapeOf(codec);
  const below = (inner: t.Mixed, to: string, required = true): readonly Row[] =>
    rowsOf(inner, to, required, depth + 1);
  switch (shape?._tag) {
    case 'InterfaceType':
    case 'StrictType':
    case 'PartialType':
      return Object.entries(shape.props).flatMap(([key, inner]) =>
        below(inner, pathTo(path, key), shape._tag !== 'PartialType'),
      );
    case 'IntersectionType':
    case 'UnionType':
      return shape.types.flatMap(inner => rowsInside(inner, path, depth + 1));
    case 'DictionaryType':
      return below(shape.codomain, pathTo(path, '<name>'));
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return below(shape.type, `${path}[]`);
    case 'TaggedType':
      return Object.entries(shape.members).flatMap(([name, inner]) =>
        rowsInside(inner, `${path} (${shape.tag}: ${name})`, depth + 1),
      );
    case 'ExactType':
    case 'ReadonlyType':
    case 'RefinementType':
    case 'FieldType':
      return rowsInside(shape.type, path, depth);
    default:
      return [];
  }
}

function takes(codec: t.Mixed): string {
  return choicesOf(codec)?.join(', ') ?? expectation(codec).replace(/, write .*$/, '');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
