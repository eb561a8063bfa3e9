import { isLeft } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import { CliError } from './cli-error.ts';

/** The HTTP status of a question that cannot be answered because of what was asked. */
export const wrongInputStatus = 422;

/** The argument of a query that is JSON. @throws CliError where it is not of its type */
export function jsonArgument<A>(type: t.Type<A, unknown>, text: string | undefined): A {
  const decoded = type.decode(parsed(text ?? ''));
  if (isLeft(decoded))
    throw new CliError(2, `the question is no ${type.name}: is the running process of another version?`);
  return decoded.right;
}

/** What was answered. @throws CliError where it is not of its type */
export function readAnswer<A>(type: t.Type<A, unknown>, answer: unknown): A {
  const decoded = type.decode(answer);
  if (isLeft(decoded))
    throw new CliError(1, 'the answer cannot be read: is the running process of another version?');
  return decoded.right;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
