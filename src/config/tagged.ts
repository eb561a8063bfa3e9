import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { memberOf } from './codec-shape.ts';

/** A value of one of the members, with the name of its member under the tag's key. */
export type Tagged<Tag extends string, Members extends Readonly<Record<string, t.Mixed>>> = {
  readonly [Name in keyof Members]: { readonly [_ in Tag]: Name } & t.TypeOf<Members[Name]>;
}[keyof Members];

/** One of several codecs, chosen by the text under one key; made by {@link taggedBy}. */
export class TaggedType<Tag extends string, Members extends Readonly<Record<string, t.Mixed>>> extends t.Type<
  Tagged<Tag, Members>,
  unknown
> {
  readonly _tag: 'TaggedType' = 'TaggedType' as const;
  readonly tag: Tag;
  readonly members: Members;

  constructor(tag: Tag, members: Members) {
    const memberFor = (u: unknown): readonly [string, t.Mixed] | undefined => {
      const name = t.UnknownRecord.is(u) ? u[tag] : undefined;
      const member = typeof name === 'string' ? memberOf(members, name) : undefined;
      return member && typeof name === 'string' ? [name, member] : undefined;
    };
    const is = (u: unknown): u is Tagged<Tag, Members> => memberFor(u)?.[1].is(u) ?? false;
    super(
      `map with "${tag}: ${Object.keys(members).join(' | ')}"`,
      is,
      (u, context) => {
        const [name, member] = memberFor(u) ?? [];
        if (!member) return t.failure(u, context);
        const decoded: t.Validation<unknown> = member.validate(u, context);
        if (isLeft(decoded)) return decoded;
        const value = Object.assign({}, decoded.right, { [tag]: name });
        return is(value) ? t.success(value) : t.failure(u, context);
      },
      (a): unknown => Object.assign({}, memberFor(a)?.[1].encode(a), { [tag]: memberFor(a)?.[0] }),
    );
    this.tag = tag;
    this.members = members;
  }
}

/**
 * A set of codecs for maps, told apart by the text under one key. The set is the caller's, so that a new
 * member edits nothing here; an unknown name is reported together with those that are known.
 *
 * @param tag the key, such as `kind`
 * @param members codecs by name; they need not know the tag's key
 */
export function taggedBy<Tag extends string, Members extends Readonly<Record<string, t.Mixed>>>(
  tag: Tag,
  members: Members,
): TaggedType<Tag, Members> {
  return new TaggedType(tag, members);
}
