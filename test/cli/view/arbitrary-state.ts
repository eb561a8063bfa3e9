import fc from 'fast-check';
import type { LiveState } from '../../../src/cli/view/live-state.ts';
import { entryAndExit, now, regime, stateOf, status } from './states.ts';

/** Text as an exchange, a file or an attacker may write it. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '\u001B[2Jgone',
    '\u001B]0;title\u0007',
    'a\r\nb\tc',
    '比特币-USDT',
    '\u202Eright to left',
    '🚀🚀',
    '\uD800',
  ),
);
const amount = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e15, noNaN: true }));
const maybe = <A>(of: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> => fc.option(of, { nil: undefined });
const time = fc.oneof(fc.constant(now), fc.integer({ min: -1e13, max: 1e16 }));

const pipelines = fc.array(
  fc.record({
    status: fc
      .record({
        name: text,
        phase: fc.constantFrom('starting', 'running', 'draining', 'restarting', 'stopped'),
        lag: amount,
        inFlight: amount,
        retried: amount,
        deadLettered: amount,
        watermark: maybe(time),
        problem: maybe(text),
        stuckAt: maybe(text),
      } as const)
      .map(({ name, ...rest }) => status(name, rest)),
    inPerSecond: maybe(amount),
    outPerSecond: maybe(amount),
    lagMs: maybe(fc.double()),
  }),
  { maxLength: 15 },
);

const warmUps = fc.array(
  fc.record({
    venue: text,
    symbol: text,
    known: fc.nat(5),
    needed: fc.constant(5),
    missing: fc.array(text, { maxLength: 4 }),
    progress: fc.double({ min: 0, max: 1 }),
  }),
  { maxLength: 60 },
);

const signals = fc.array(
  fc
    .record({
      symbol: text,
      venue: text,
      id: text,
      isEntry: fc.boolean(),
      reasons: fc.array(text, { maxLength: 4 }),
    })
    .map(({ isEntry, ...rest }) => ({ ...(isEntry ? entryAndExit().entry : entryAndExit().exit), ...rest })),
  { maxLength: 20 },
);

/** Any state, sound or not. */
export const anyState: fc.Arbitrary<LiveState> = fc
  .record({
    phase: fc.constantFrom('history', 'live', 'draining', 'done', 'stopped'),
    title: text,
    now: time,
    elapsedMs: amount,
    feed: fc.record({
      name: text,
      progress: maybe(fc.double()),
      items: amount,
      perSecond: maybe(fc.double()),
      timeLeftMs: maybe(fc.double()),
      eventTime: maybe(time),
    }),
    pipelines,
    warmUps,
    regime: fc.constantFrom(undefined, regime),
    signals,
    counts: fc.record({
      malformed: fc.nat(),
      deadLetters: fc.nat(),
      feedDeadLetters: fc.nat(),
      late: fc.nat(),
    }),
    deadLetters: fc.array(fc.record({ reason: text, count: fc.nat() }), { maxLength: 30 }),
    problems: fc.array(text, { maxLength: 8 }),
    directory: maybe(text),
    explainCommand: text,
  } as const)
  .map(rest => stateOf(rest));
