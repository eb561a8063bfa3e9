import { isLeft } from 'fp-ts/lib/Either.js';
import type { Decoder } from 'io-ts';

/** A stored state that cannot be used; the message names the state, the place in it, and what to do. */
export class StateRefused extends Error {
  override readonly name = 'StateRefused';
  /** Which state. */
  readonly state: string;

  constructor(state: string, flaw: string) {
    super(`Stored ${state} state is refused: ${flaw}. Reset it, or go back to the version that wrote it.`);
    this.state = state;
  }
}

/**
 * The state that a stored form stands for; it shares nothing with it.
 *
 * @param name names the state where it is refused
 * @throws StateRefused where the stored form is of another shape
 */
export function decodeState<A>(name: string, type: Decoder<unknown, A>, json: unknown): A {
  // What is stored stays as it is, whatever is done to the state.
  const decoded = type.decode(structuredClone(json));
  if (isLeft(decoded)) {
    const context = decoded.left[0]?.context ?? [];
    const path = context.map(({ key }) => key).filter(key => key !== '');
    const expected = context.at(-1)?.type.name ?? 'a state';
    throw new StateRefused(name, `at ${path.join('.') || 'its top'} expected ${expected}`);
  }
  return decoded.right;
}
