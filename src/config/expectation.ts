import type * as t from 'io-ts';
import { choicesOf, shapeOf, type CodecShape } from './codec-shape.ts';
import { knownNames } from './nearest-name.ts';

/** What a codec takes, to go on after "is no": `duration, write for example 7d or 24h`. */
export function expectation(codec: t.Mixed): string {
  const choices = choicesOf(codec);
  if (choices) return choices.length === 1 ? (choices[0] ?? '') : `choice of ${choices.join(', ')}`;
  const shape = shapeOf(codec);
  return (shape && byShape(shape)) ?? codec.name;
}

function byShape(shape: CodecShape): string | undefined {
  switch (shape._tag) {
    case 'StringType':
      return 'text, write it in quotes where it looks like a number';
    case 'NumberType':
      return 'number';
    case 'BooleanType':
      return 'switch, write true or false';
    case 'ArrayType':
    case 'ReadonlyArrayType':
    case 'TupleType':
      return 'list, write each item in its own line behind "- "';
    case 'InterfaceType':
    case 'PartialType':
    case 'StrictType':
    case 'IntersectionType':
    case 'DictionaryType':
      return 'map, write each key in its own line as "key: value"';
    case 'UnionType':
      return shape.types.map(expectation).join(', or a ');
    case 'ExactType':
    case 'ReadonlyType':
    case 'RecursiveType':
    case 'RefinementType':
    case 'FieldType':
      return expectation(shape.type);
    default:
      return undefined;
  }
}

/** What to say of a value that is there but not what the codec takes. */
export function mismatch(codec: t.Mixed, shown: string, value: unknown): string {
  if (value === null) return `is empty: ${article(expectation(codec))}`;
  const choices = choicesOf(codec);
  if (choices && typeof value === 'string')
    return `${shown} is not known here, ${knownNames(value, choices)}`;
  return `${shown} is no ${expectation(codec)}`;
}

/** What to say of a key that must be there and is not. */
export function missing(codec: t.Mixed): string {
  return `is missing: ${article(expectation(codec))}`;
}

function article(noun: string): string {
  return /^[aeio]/i.test(noun) ? `an ${noun}` : `a ${noun}`;
}
