import type { OperatorFunction } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { type Delivery, settlement } from '../core/delivery.ts';
import {
  type DeliveryKit,
  type EndOptions,
  type ExpectedSettlements,
  deliveryTest,
} from './delivery-test.ts';
import type { Givens } from './delivery-sources.ts';
import { FakePublisher } from './fake-publisher.ts';
import { failureWith } from './given.ts';
import { RecordingMeter } from './recording-meter.ts';

/** What an operator under test may be made with. */
export interface OperatorTools {
  readonly scheduler: TestScheduler;
  /** Stores at once. */
  readonly publisher: FakePublisher;
  readonly meter: RecordingMeter;
}

/** The operator under test, and how it differs from one that passes each value on at once. */
export interface OperatorSubject<A, B> {
  readonly make: (tools: OperatorTools) => OperatorFunction<Delivery<A>, Delivery<B>>;
  /** The operator with a callback that throws this for every value; none where it takes no callback. */
  readonly makeThrowing?: (tools: OperatorTools, error: Error) => OperatorFunction<Delivery<A>, Delivery<B>>;
  /** What `a`, `b` and `c` mean at the source; default: the letters themselves. */
  readonly inputs?: Givens<A>;
  /** What the letters mean where they come out; default: the inputs' letters. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Where the case comes out otherwise than {@link operatorCases} has it. */
  readonly expected?: Readonly<Partial<Record<OperatorCaseName, Partial<ExpectedCase>>>>;
}

/** What a case must come to. */
export interface ExpectedCase extends ExpectedSettlements {
  readonly out: string;
  /** Subscriptions to the source. */
  readonly subscriptions: string;
}

export type OperatorCaseName =
  | 'never'
  | 'empty'
  | 'one'
  | 'many'
  | 'failure'
  | 'source error'
  | 'never ending'
  | 'early unsubscribe'
  | 'nacked at the end'
  | 'throwing callback';

interface CaseTable extends ExpectedCase {
  readonly source: string;
  readonly end?: EndOptions<unknown>;
}

const nackAll: EndOptions<unknown> = { settle: delivery => delivery[settlement].nack() };

/** For an operator that passes each value on, once, at once. */
const table: Readonly<Record<OperatorCaseName, CaseTable>> = {
  never: { source: '-', out: '-', subscriptions: '^' },
  empty: { source: '|', out: '|', subscriptions: '(^!)' },
  one: { source: '--a--|', out: '--a--|', acked: '--a', subscriptions: '^----!' },
  many: {
    source: '--a--b--c--|',
    out: '--a--b--c--|',
    acked: '--a--b--c',
    subscriptions: '^----------!',
  },
  failure: {
    source: '--a--F--b--|',
    out: '--a--F--b--|',
    acked: '--a-----b',
    nacked: '-----F',
    subscriptions: '^----------!',
  },
  'source error': { source: '--a--#', out: '--a--#', acked: '--a', subscriptions: '^----!' },
  'never ending': { source: '--a--b---', out: '--a--b---', acked: '--a--b', subscriptions: '^' },
  'early unsubscribe': {
    source: '--a--b--c--|',
    end: { subscription: '^-----!' },
    out: '--a--b-',
    acked: '--a--b',
    takenBack: '',
    subscriptions: '^-----!',
  },
  'nacked at the end': {
    source: '--a--b--|',
    end: nackAll,
    out: '--a--b--|',
    nacked: '--a--b',
    subscriptions: '^-------!',
  },
  'throwing callback': {
    source: '--a--b--|',
    out: '--T--T--|',
    nacked: '--a--b',
    subscriptions: '^-------!',
  },
};

/** One case of the fixed list: its name, and the test. */
export interface OperatorCase {
  readonly name: OperatorCaseName;
  /** @throws where the operator does not do what the case asks for */
  readonly run: () => void;
}

/**
 * The fixed list that every operator meets: never, empty, one, many, a failure, a source error, never ending,
 * early unsubscribe, nacked at the end, a throwing callback; each with its values, subscriptions and settlements.
 *
 * @example
 * for (const { name, run } of operatorCases({ make: () => tapValues(() => undefined) })) it(name, run);
 */
export function operatorCases<A, B>(subject: OperatorSubject<A, B>): readonly OperatorCase[] {
  return caseNames
    .filter(name => name !== 'throwing callback' || subject.makeThrowing !== undefined)
    .map(name => ({ name, run: () => deliveryTest(kit => runCase(kit, subject, name)) }));
}

const caseNames: readonly OperatorCaseName[] = [
  'never',
  'empty',
  'one',
  'many',
  'failure',
  'source error',
  'never ending',
  'early unsubscribe',
  'nacked at the end',
  'throwing callback',
];

function runCase<A, B>(kit: DeliveryKit, subject: OperatorSubject<A, B>, name: OperatorCaseName): void {
  const { source: marbles, end, ...usual } = table[name];
  const { out, subscriptions, ...settled } = { ...usual, ...subject.expected?.[name] };
  const tools = { scheduler: kit.scheduler, publisher: new FakePublisher(), meter: new RecordingMeter() };
  const operator =
    name === 'throwing callback'
      ? subject.makeThrowing?.(tools, new Error('thrown by the callback'))
      : subject.make(tools);
  const source = kit.cold<A>(marbles, subject.inputs);
  if (operator) kit.expectDeliveries(source.pipe(operator), end).toBe(out, outputsOf(subject));
  kit.expectSubscriptions(source).toBe(subscriptions);
  kit.expectSettled(settled);
}

function outputsOf<A, B>({ outputs, inputs }: OperatorSubject<A, B>): Readonly<Record<string, unknown>> {
  return {
    ...(outputs ?? inputs ?? { a: 'a', b: 'b', c: 'c' }),
    F: failureWith('handle', { stage: 'earlier' }),
    T: failureWith('handle', { reason: 'thrown by the callback', attempts: 1, retryable: true }),
    E: failureWith('encode', { reason: 'thrown by the callback', attempts: 1, retryable: false }),
  };
}
