import type * as t from 'io-ts';

type Guard = (value: unknown) => boolean;

/** The parts of io-ts's tagged codecs that the compiler reads. */
interface Tagged {
  readonly name: string;
  readonly _tag?: string;
  readonly type?: t.Any;
  readonly domain?: t.Any;
  readonly codomain?: t.Any;
  readonly types?: readonly t.Any[];
  readonly props?: Readonly<Record<string, t.Any>>;
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly value?: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const primitives: Readonly<Record<string, Guard>> = {
  StringType: value => typeof value === 'string',
  NumberType: value => typeof value === 'number',
  BooleanType: value => typeof value === 'boolean',
  NullType: value => value === null,
  UndefinedType: value => value === undefined,
  UnknownType: () => true,
};

/**
 * A fast equivalent of `codec.is` for codecs whose decoded value is the input itself, compiled once from the
 * codec's tree; undefined where some part of the tree transforms its input or is not known.
 *
 * A guard that says yes spares io-ts's decoding, and its errors are only needed when it says no.
 */
export function compileGuard(codec: t.Any): Guard | undefined {
  const node: Tagged = codec;
  const primitive = primitives[node._tag ?? ''];
  if (primitive) return primitive;
  switch (node._tag) {
    case 'LiteralType':
      return value => value === node.value;
    case 'KeyofType':
      return value => typeof value === 'string' && Object.hasOwn(node.keys ?? {}, value);
    case 'ReadonlyType':
      return node.type && compileGuard(node.type);
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return arrayGuard(node);
    case 'TupleType':
      return tupleGuard(node);
    case 'DictionaryType':
      return dictionaryGuard(node);
    case 'InterfaceType':
      return propsGuard(node, false);
    case 'PartialType':
      return propsGuard(node, true);
    case 'IntersectionType':
      return allOf(node);
    case 'UnionType':
      return anyOf(node);
    default:
      return undefined;
  }
}

function arrayGuard(node: Tagged): Guard | undefined {
  const item = node.type && compileGuard(node.type);
  return item && (value => Array.isArray(value) && value.every(item));
}

function tupleGuard(node: Tagged): Guard | undefined {
  const items = compileMany(node.types);
  if (!items) return undefined;
  return value => {
    if (!Array.isArray(value) || value.length !== items.length) return false;
    for (let i = 0; i < items.length; i++) if (!(items[i] as Guard)(value[i])) return false;
    return true;
  };
}

function dictionaryGuard(node: Tagged): Guard | undefined {
  const domain: Tagged | undefined = node.domain;
  // Other domains than all strings demand or refuse keys of their own.
  if (domain?._tag !== 'StringType') return undefined;
  const item = node.codomain && compileGuard(node.codomain);
  return item && (value => isObject(value) && Object.values(value).every(item));
}

function propsGuard(node: Tagged, optional: boolean): Guard | undefined {
  const names = Object.keys(node.props ?? {});
  const guards = compileMany(Object.values(node.props ?? {}));
  if (!guards) return undefined;
  return value => {
    if (!isObject(value)) return false;
    for (let i = 0; i < names.length; i++) {
      const property = value[names[i] as string];
      if (property === undefined) {
        if (optional) continue;
        if (!Object.hasOwn(value, names[i] as string)) return false;
      }
      if (!(guards[i] as Guard)(property)) return false;
    }
    return true;
  };
}

function allOf(node: Tagged): Guard | undefined {
  const parts = compileMany(node.types);
  if (!parts) return undefined;
  return value => {
    for (const part of parts) if (!part(value)) return false;
    return true;
  };
}

function anyOf(node: Tagged): Guard | undefined {
  const parts = compileMany(node.types);
  if (!parts) return undefined;
  return value => {
    for (const part of parts) if (part(value)) return true;
    return false;
  };
}

function compileMany(codecs: readonly t.Any[] | undefined): readonly Guard[] | undefined {
  const guards = codecs?.map(compileGuard);
  return guards?.every(guard => guard !== undefined) ? guards : undefined;
}
