import type { DeadLetter } from '../core/dead-letter.ts';
import type { Bytes } from '../core/message.ts';
import type { LetterTransform } from './redrive-options.ts';

/**
 * What a transform makes of a letter. It comes from outside, whatever its type says.
 *
 * @throws TypeError where it returns something else than bytes, `null` or `undefined`
 */
export async function transformed(
  letter: DeadLetter,
  transform: LetterTransform,
): Promise<Bytes | undefined> {
  const payload: unknown = await transform(letter);
  if (payload === undefined || payload === null || payload instanceof Uint8Array) return payload;
  throw new TypeError(
    `it returned a ${typeof payload}: return bytes, as Buffer.from(text), null or undefined`,
  );
}
