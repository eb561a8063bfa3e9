/** A property that carries the design, and the test that holds it. */
export interface GuardingProperty {
  readonly file: string;
  readonly test: string;
  /** More than in everyday life, so that also what is met seldom is met. */
  readonly runs: number;
}

export type PropertyName =
  | 'conservation of deliveries'
  | 'contiguous commits'
  | 'state and offsets agree'
  | 'order per key'
  | 'order per key by topic'
  | 'bounded buffers'
  | 'same output however cut'
  | 'same output however disturbed'
  | 'attempts never go back'
  | 'failure handling'
  | 'committed together';

export const properties: Readonly<Record<PropertyName, GuardingProperty>> = {
  'conservation of deliveries': {
    file: 'test/operators/conservation.test.ts',
    test: 'settle every delivery once, and leave nothing in flight or uncommitted',
    runs: 1000,
  },
  'contiguous commits': {
    file: 'test/bus/partition-tracker.test.ts',
    test: 'does what a naive model does, whatever is taken, acked, nacked, redelivered and revoked',
    runs: 400,
  },
  'state and offsets agree': {
    file: 'test/runtime/members.test.ts',
    test: 'count exactly, whoever comes and goes when',
    runs: 100,
  },
  'order per key': {
    file: 'test/operators/conservation.test.ts',
    test: 'bring the values of a key to the end in order, whatever is nacked on the way',
    runs: 1000,
  },
  'order per key by topic': {
    file: 'test/pipelines/retry.test.ts',
    test: 'keeps the order of first occurrences of each key, whatever fails and whenever it is restarted',
    runs: 300,
  },
  'bounded buffers': {
    file: 'test/operators/conservation.test.ts',
    test: 'hold no more than they may',
    runs: 1000,
  },
  'same output however cut': {
    file: 'test/chain/chain.test.ts',
    test: 'for any batch sizes, interleaving, partition counts and credit: bars',
    runs: 20,
  },
  'same output however disturbed': {
    file: 'test/chain/chain.test.ts',
    test: 'whatever goes wrong, and how often it is started anew: bars',
    runs: 60,
  },
  'attempts never go back': {
    file: 'test/runtime/attempts.test.ts',
    test: 'never go back over drains and rebalances, over a kill not before what was written',
    runs: 400,
  },
  'failure handling': {
    file: 'test/failures/failure-model.test.ts',
    test: 'brings every message to exactly one place, the keys in order, the attempts never going back',
    runs: 500,
  },
  'committed together': {
    file: 'test/bus/kafka/model/exactly-once-model.test.ts',
    test: 'count every word once, in the order of its key, and commit with it all that belongs to it, whatever happens',
    runs: 60,
  },
};
