import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';

/** A codec with a line of documentation and perhaps a default; made by {@link field}. */
export class FieldType<A> extends t.Type<A, unknown> {
  readonly _tag: 'FieldType' = 'FieldType' as const;
  readonly type: t.Type<A, unknown>;
  /** What the key means, with its unit. */
  readonly doc: string;
  /** The default as one would write it in the file. */
  readonly fallback: { readonly written: unknown } | undefined;

  constructor(
    type: t.Type<A, unknown>,
    doc: string,
    fallback: { readonly written: unknown; readonly value: A } | undefined,
  ) {
    super(
      type.name,
      u => type.is(u),
      (u, context) => (u === undefined && fallback ? t.success(fallback.value) : type.validate(u, context)),
      a => type.encode(a),
    );
    this.type = type;
    this.doc = doc;
    this.fallback = fallback;
  }
}

/**
 * A key of a section: its codec, what it means, and, where it may be left out of a `t.type`, its default.
 *
 * @param doc one line for the documentation
 * @param written the default as one would write it in the file, such as `"30s"`
 * @throws TypeError at definition where the default is not valid itself
 */
export function field<A>(type: t.Type<A, unknown>, doc: string, written?: unknown): FieldType<A> {
  if (written === undefined) return new FieldType(type, doc, undefined);
  const decoded = type.decode(written);
  if (isLeft(decoded)) throw new TypeError(`The default of "${doc}": ${PathReporter.report(decoded).join()}`);
  return new FieldType(type, doc, { written, value: decoded.right });
}
