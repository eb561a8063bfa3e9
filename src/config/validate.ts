import { isLeft } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import {
  choicesOf,
  innerShape,
  keysOf,
  memberOf,
  shapeOf,
  type Choose,
  type ShapeOf,
} from './codec-shape.ts';
import type { Place } from './config-problem.ts';
import { combined, fine, issue, type Finding } from './finding.ts';
import { expectation, missing } from './expectation.ts';
import { pathTo, type Located, type LocatedMap } from './located.ts';
import { knownNames } from './nearest-name.ts';
import { asWhole, wrong } from './whole-value.ts';

/**
 * Compares located values with a codec, part by part, so that each problem has its own place and all of them
 * are found at once. Keys that the codec does not know are problems too.
 */
export function validate(codec: t.Mixed, node: Located, path = ''): Finding {
  if (node.kind !== 'map') return byParts(codec, node, path);
  return combined([byParts(codec, node, path), unknownKeys(codec, node, path)]);
}

function byParts(codec: t.Mixed, node: Located, path: string): Finding {
  if (node.kind === 'unreadable') return fine;
  const shape = shapeOf(codec);
  switch (shape?._tag) {
    case 'ExactType':
    case 'ReadonlyType':
    case 'RecursiveType':
    case 'FieldType':
      return byParts(shape.type, node, path);
    case 'RefinementType':
      return refined(codec, shape.type, node, path);
    case 'IntersectionType':
      return node.kind === 'map' ? intersection(shape.types, node, path) : asWhole(codec, node, path);
    case 'UnionType':
      return union(codec, shape, node, path);
    case 'ArrayType':
    case 'ReadonlyArrayType':
      if (node.kind !== 'list') return wrong(codec, node, path);
      return combined(node.items.map((item, index) => validate(shape.type, item, pathTo(path, index))));
    case 'InterfaceType':
    case 'StrictType':
    case 'PartialType':
    case 'DictionaryType':
    case 'TaggedType':
      return node.kind === 'map' ? mapParts(shape, node, path) : wrong(codec, node, path);
    default:
      return asWhole(codec, node, path);
  }
}

function mapParts(
  shape: ShapeOf<'InterfaceType' | 'StrictType' | 'PartialType' | 'DictionaryType' | 'TaggedType'>,
  node: LocatedMap,
  path: string,
): Finding {
  switch (shape._tag) {
    case 'DictionaryType':
      return dictionary(shape, node, path);
    case 'TaggedType':
      return tagged(shape, node, path);
    default:
      return combined(
        Object.entries(shape.props).map(([key, codec]) =>
          keyed(codec, key, node, path, shape._tag === 'PartialType'),
        ),
      );
  }
}

function keyed(codec: t.Mixed, key: string, node: LocatedMap, path: string, optional: boolean): Finding {
  const entry = node.entries.get(key);
  if (entry) return validate(codec, entry.node, pathTo(path, key));
  if (optional || codec.decode(undefined)._tag === 'Right') return fine;
  return issue(node.at, pathTo(path, key), missing(codec));
}

function dictionary(shape: ShapeOf<'DictionaryType'>, node: LocatedMap, path: string): Finding {
  const demanded = choicesOf(shape.domain);
  if (demanded) return combined(demanded.map(key => keyed(shape.codomain, key, node, path, false)));
  return combined(
    [...node.entries].flatMap(([key, { keyAt, node: value }]) => [
      wrongKey(shape.domain, key, keyAt, pathTo(path, key)),
      validate(shape.codomain, value, pathTo(path, key)),
    ]),
  );
}

function wrongKey(domain: t.Mixed, key: string, at: Place, path: string): Finding {
  if (domain.decode(key)._tag === 'Right') return fine;
  return issue(at, path, `the key is no ${expectation(domain)}`);
}

function tagged(shape: ShapeOf<'TaggedType'>, node: LocatedMap, path: string): Finding {
  const tag = node.entries.get(shape.tag)?.node;
  const tagPath = pathTo(path, shape.tag);
  const names = Object.keys(shape.members).join(', ');
  if (!tag) return issue(node.at, tagPath, `is missing: write one of ${names}`);
  const member = chooseFor(node, path)(shape);
  if (member) return byParts(member, node, path);
  if (tag.kind === 'unreadable') return fine;
  const name = tag.kind === 'scalar' && tag.written === undefined ? String(tag.value) : '';
  return issue(
    tag.at,
    tagPath,
    `${name} is no known ${shape.tag}, ${knownNames(name, Object.keys(shape.members))}`,
  );
}

function intersection(types: readonly t.Mixed[], node: LocatedMap, path: string): Finding {
  return combined(types.map(type => byParts(type, node, path)));
}

function refined(codec: t.Mixed, inner: t.Mixed, node: Located, path: string): Finding {
  const finding = byParts(inner, node, path);
  return finding.issues.length > 0 ? finding : asWhole(codec, node, path, finding.asText);
}

function union(codec: t.Mixed, shape: ShapeOf<'UnionType'>, node: Located, path: string): Finding {
  const member = chooseFor(node, path)(shape);
  return member ? byParts(member, node, path) : wrong(codec, node, path, saidOf(shape.types, node));
}

/** What a member itself says of a scalar that none of them takes. */
function saidOf(members: readonly t.Mixed[], node: Located): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  const results = members.map(member => member.decode(node.value));
  return results.map(result => (isLeft(result) ? result.left[0]?.message : undefined)).find(Boolean);
}

/** A member that the value satisfies, else the one of the same form with the fewest problems. */
function chooseFor(node: Located, path: string): Choose {
  return shape => {
    if (shape._tag === 'TaggedType') {
      const tag = node.kind === 'map' ? node.entries.get(shape.tag)?.node : undefined;
      return tag?.kind === 'scalar' ? memberOf(shape.members, String(tag.text ?? tag.value)) : undefined;
    }
    const tried = shape.types.map(type => ({ type, count: validate(type, node, path).issues.length }));
    const fitting = tried.filter(({ type, count }) => count === 0 || formOf(type) === node.kind);
    return fitting.toSorted((a, b) => a.count - b.count)[0]?.type;
  };
}

/** `map` or `list` where a codec can only be that; the form of a scalar is never enough to choose by. */
function formOf(codec: t.Mixed): 'map' | 'list' | undefined {
  switch (innerShape(codec)?._tag) {
    case 'InterfaceType':
    case 'StrictType':
    case 'PartialType':
    case 'IntersectionType':
    case 'DictionaryType':
    case 'TaggedType':
      return 'map';
    case 'ArrayType':
    case 'ReadonlyArrayType':
    case 'TupleType':
      return 'list';
    default:
      return undefined;
  }
}

function unknownKeys(codec: t.Mixed, node: LocatedMap, path: string): Finding {
  const known = keysOf(codec, chooseFor(node, path));
  if (!known) return fine;
  const set = new Set(known);
  return combined(
    [...node.entries]
      .filter(([key]) => !set.has(key))
      .map(([key, { keyAt }]) =>
        issue(keyAt, pathTo(path, key), `is not known here, ${knownNames(key, known)}`),
      ),
  );
}
