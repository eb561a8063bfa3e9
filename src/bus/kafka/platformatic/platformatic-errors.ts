import { BusError } from '../../../core/publisher.ts';
import { busErrorFrom } from '../protocol-errors.ts';

/** What this client's errors carry. */
interface ClientError extends Error {
  readonly code?: unknown;
  /** The protocol's name of it. */
  readonly apiId?: unknown;
  readonly serverErrorMessage?: unknown;
  readonly errors?: unknown;
}

/** This client's error as one of ours; see {@link busErrorFrom}. */
export function busErrorOf(error: unknown, doing: string, right?: string): BusError {
  const all = [...chain(error)];
  const ours = all.find(each => each instanceof BusError);
  if (ours) return ours;
  const failure = {
    type: typeOf(error),
    text: textOf(all),
    isAuthentication: all.some(({ code }) => code === 'PLT_KFK_AUTHENTICATION'),
    cause: error,
  };
  return busErrorFrom(failure, doing, right);
}

/** The protocol's name of the error, where it has one. */
export function typeOf(error: unknown): string | undefined {
  for (const { apiId } of chain(error)) if (typeof apiId === 'string') return apiId;
  return undefined;
}

/** What the broker says, else where it began. */
function textOf(all: readonly ClientError[]): string {
  const told = all.find(({ apiId }) => typeof apiId === 'string') ?? all.at(-1);
  const { message = '', name = '', serverErrorMessage } = told ?? {};
  const said = typeof serverErrorMessage === 'string' ? serverErrorMessage : '';
  return said || message || name;
}

/** The error and, depth first, what it gathers and what caused it. */
function* chain(error: unknown, depth = 0): Iterable<ClientError> {
  if (depth > 8) return;
  if (!(error instanceof Error)) {
    if (depth === 0) yield new Error(String(error));
    return;
  }
  yield error;
  const { errors, cause } = error as ClientError;
  if (Array.isArray(errors)) for (const each of errors) yield* chain(each, depth + 1);
  yield* chain(cause, depth + 1);
}
