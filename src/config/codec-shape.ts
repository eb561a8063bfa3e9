import type * as t from 'io-ts';

type Shape<Tag extends string, Parts> = Tag extends unknown
  ? { readonly _tag: Tag } & Readonly<Parts>
  : never;

/** What a codec is made of, as far as keys and places are concerned. */
export type CodecShape =
  | Shape<'InterfaceType' | 'PartialType' | 'StrictType', { props: Readonly<Record<string, t.Mixed>> }>
  | Shape<'IntersectionType' | 'UnionType' | 'TupleType', { types: readonly t.Mixed[] }>
  | Shape<'ArrayType' | 'ReadonlyArrayType', { type: t.Mixed }>
  | Shape<'ExactType' | 'ReadonlyType' | 'RecursiveType' | 'RefinementType', { type: t.Mixed }>
  | Shape<'DictionaryType', { domain: t.Mixed; codomain: t.Mixed }>
  | Shape<'KeyofType', { keys: Readonly<Record<string, unknown>> }>
  | Shape<'LiteralType', { value: string | number | boolean }>
  | Shape<'StringType' | 'NumberType' | 'BooleanType', unknown>
  /** Ours: a codec with a line of documentation and perhaps a default. */
  | Shape<'FieldType', { type: t.Mixed; doc: string; fallback: { readonly written: unknown } | undefined }>
  /** Ours: one of several codecs, chosen by the text under one key. */
  | Shape<'TaggedType', { tag: string; members: Readonly<Record<string, t.Mixed>> }>;

/** The shapes with one of the given tags. */
export type ShapeOf<Tag extends CodecShape['_tag']> = Extract<CodecShape, { readonly _tag: Tag }>;

const known: ReadonlySet<unknown> = new Set<CodecShape['_tag']>([
  'InterfaceType',
  'PartialType',
  'StrictType',
  'IntersectionType',
  'UnionType',
  'TupleType',
  'ArrayType',
  'ReadonlyArrayType',
  'ExactType',
  'ReadonlyType',
  'RecursiveType',
  'RefinementType',
  'DictionaryType',
  'KeyofType',
  'LiteralType',
  'StringType',
  'NumberType',
  'BooleanType',
  'FieldType',
  'TaggedType',
]);

function hasShape(codec: t.Mixed): codec is t.Mixed & CodecShape {
  return '_tag' in codec && known.has(codec._tag);
}

/** The shape of a codec; undefined for one that only its own decoder understands. */
export function shapeOf(codec: t.Mixed): CodecShape | undefined {
  return hasShape(codec) ? codec : undefined;
}

/** A codec's shape without what adds nothing to it: exact, readonly, recursion, documentation. */
export function innerShape(codec: t.Mixed): CodecShape | undefined {
  const shape = shapeOf(codec);
  switch (shape?._tag) {
    case 'ExactType':
    case 'ReadonlyType':
    case 'RecursiveType':
    case 'RefinementType':
    case 'FieldType':
      return innerShape(shape.type);
    default:
      return shape;
  }
}

/** Chooses the member of a union or tagged codec that a value is meant for. */
export type Choose = (shape: ShapeOf<'UnionType' | 'TaggedType'>) => t.Mixed | undefined;

/** The keys that a map may have under a codec; undefined where any key may stand. */
export function keysOf(codec: t.Mixed, choose: Choose): readonly string[] | undefined {
  const shape = innerShape(codec);
  switch (shape?._tag) {
    case 'InterfaceType':
    case 'PartialType':
    case 'StrictType':
      return Object.keys(shape.props);
    case 'IntersectionType':
      return allKeys(shape.types, choose);
    case 'DictionaryType':
      return choicesOf(shape.domain);
    case 'UnionType': {
      const member = choose(shape);
      return member && keysOf(member, choose);
    }
    case 'TaggedType': {
      const member = choose(shape);
      const keys = member && keysOf(member, choose);
      return keys && [shape.tag, ...keys];
    }
    default:
      return undefined;
  }
}

function allKeys(codecs: readonly t.Mixed[], choose: Choose): readonly string[] | undefined {
  const all: string[] = [];
  for (const codec of codecs) {
    const keys = keysOf(codec, choose);
    if (!keys) return undefined;
    all.push(...keys);
  }
  return all;
}

/** The texts that a codec takes where they are a closed set. */
export function choicesOf(codec: t.Mixed): readonly string[] | undefined {
  const shape = innerShape(codec);
  if (shape?._tag === 'LiteralType') return [String(shape.value)];
  if (shape?._tag === 'KeyofType') return Object.keys(shape.keys);
  if (shape?._tag !== 'UnionType') return undefined;
  const all = shape.types.map(choicesOf);
  return all.every(choices => choices !== undefined) ? all.flat() : undefined;
}

/** A member by its name, safe for names such as `constructor`. */
export function memberOf(
  members: Readonly<Record<string, t.Mixed>>,
  name: string | undefined,
): t.Mixed | undefined {
  return name !== undefined && Object.hasOwn(members, name) ? members[name] : undefined;
}
