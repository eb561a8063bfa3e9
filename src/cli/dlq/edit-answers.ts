import * as t from 'io-ts';
import type { LetterTransform } from '../../dlq/redrive-options.ts';
import { WholeLetter } from './letter-answers.ts';

/** What a command makes of payloads. */
export interface EditModule {
  readonly transform: LetterTransform;
  /** Tells one module from another. */
  readonly transformId: string;
}

const naming = t.type({ letter: t.string });

/**
 * What became of the letter that was handed over: its new payload as base64, after `part`s where that is long, or null
 * for a tombstone; or it is left where it is; or the transform failed.
 */
export const EditReply: t.Type<EditReply> = t.intersection(
  [
    naming,
    t.union([
      t.type({ kind: t.literal('part'), base64: t.string }),
      t.type({ kind: t.literal('payload'), base64: t.union([t.string, t.null]) }),
      t.type({ kind: t.literal('left') }),
      t.type({ kind: t.literal('failed'), reason: t.string }),
    ]),
  ],
  'EditReply',
);
export type EditReply = { readonly letter: string } & (
  | { readonly kind: 'part'; readonly base64: string }
  | { readonly kind: 'payload'; readonly base64: string | null }
  | { readonly kind: 'left' }
  | { readonly kind: 'failed'; readonly reason: string }
);

/** The letter to be edited next, if there is one yet; `isOver`: there will be none. */
export interface EditAnswer {
  readonly isOver: boolean;
  readonly letter?: WholeLetter;
}

export const EditAnswer: t.Type<EditAnswer> = t.intersection([
  t.type({ isOver: t.boolean }),
  t.partial({ letter: WholeLetter }),
]);
