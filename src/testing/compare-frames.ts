import { deepStrictEqual } from 'node:assert/strict';
import { ExpectedFailure } from './given.ts';

/** What the test scheduler compares: notifications or subscription logs. */
interface Frame {
  readonly notification?: { readonly kind: string; readonly value?: unknown };
}

/** The test scheduler's comparison, in which an expected failure asks only for the fields that it names. */
export function compareFrames(actual: readonly Frame[], expected: readonly Frame[]): void {
  deepStrictEqual(
    actual.map((frame, i) => narrowed(frame, expected[i])),
    expected.map(plain),
  );
}

/** A test of deliveries did not see what it expected. */
export class DeliveryTestError extends Error {
  override readonly name = 'DeliveryTestError';
  /** For test runners, which show the difference. */
  readonly actual: string;
  readonly expected: string;

  constructor(what: string, actual: string, expected: string) {
    super(`${what}: ${shown(actual)}, expected ${shown(expected)}`);
    this.actual = actual;
    this.expected = expected;
  }
}

/** @throws DeliveryTestError where they differ */
export function compareText(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new DeliveryTestError(what, actual, expected);
}

function shown(text: string): string {
  return text === '' ? 'none' : text.replaceAll('\n', ', ');
}

function narrowed(frame: Frame, expected: Frame | undefined): unknown {
  const wanted = expected?.notification?.value;
  const { notification } = frame;
  if (notification === undefined || !(wanted instanceof ExpectedFailure)) return frame;
  return { ...frame, notification: { ...notification, value: project(notification.value, wanted) } };
}

function plain(frame: Frame): unknown {
  const { notification } = frame;
  const wanted = notification?.value;
  if (notification === undefined || !(wanted instanceof ExpectedFailure)) return frame;
  return { ...frame, notification: { ...notification, value: { tag: wanted.tag, ...wanted.details } } };
}

/** Of what came, the fields that the expectation names. */
function project(actual: unknown, { details }: ExpectedFailure): unknown {
  if (typeof actual !== 'object' || actual === null) return actual;
  const fields = new Map<string, unknown>(Object.entries(actual));
  return Object.fromEntries(['tag', ...Object.keys(details)].map(name => [name, fields.get(name)]));
}
