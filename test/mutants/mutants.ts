import type { PropertyName } from './properties.ts';

/** A fault that somebody might write, and the property that must find it. */
export interface Mutant {
  readonly name: string;
  readonly property: PropertyName;
  readonly file: string;
  /** What stands there once, and what is put in its place. */
  readonly was: string;
  readonly is: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a batch that waits for its count alone',
    property: 'conservation of deliveries',
    file: 'operators/batch.ts',
    was: 'this.#timer = this.#startTimer?.(() => this.flush());',
    is: 'this.#timer = undefined;',
  },
  {
    name: 'what has no outputs is not acked',
    property: 'conservation of deliveries',
    file: 'src/core/outputs.ts',
    was: 'duty.ack();',
    is: '',
  },
  {
    name: 'a shared duty acked with its first share',
    property: 'conservation of deliveries',
    file: 'src/core/settlement.ts',
    was: 'if (--this.#open > 0) return;',
    is: '--this.#open;',
  },
  {
    name: 'a message refused for now is forgotten',
    property: 'conservation of deliveries',
    file: 'operators/patient-sender.ts',
    was: 'this.#refused.push(entry);',
    is: '',
  },
  {
    name: 'what is taken back is not told to its holder',
    property: 'conservation of deliveries',
    file: 'src/bus/partition-tracker.ts',
    was: 'this.#controllers.get(sequence)?.abort();',
    is: '',
  },
  {
    name: 'the committed offset passes what is not acked',
    property: 'contiguous commits',
    file: 'src/bus/partition-tracker.ts',
    was: 'if (message === undefined || slot < state.acked) break;',
    is: 'if (message === undefined) break;',
  },
  {
    name: 'a commit goes past the last snapshot',
    property: 'state and offsets agree',
    file: 'src/runtime/snapshots.ts',
    was: 'return this.#state.used ? (this.#committable.get(topic, partition) ?? 0) : undefined;',
    is: 'return this.#state.used && topic === "" ? partition : undefined;',
  },
  {
    name: 'state stays where its partition has gone',
    property: 'state and offsets agree',
    file: 'src/runtime/state-loader.ts',
    was: 'if (!this.#isHeld(unit)) this.#state.unload(unit);',
    is: 'if (unit < 0) this.#state.unload(unit);',
  },
  {
    name: 'a key does not hold back its successors',
    property: 'order per key',
    file: 'operators/keyed-turns.ts',
    was: 'if (this.#byKey && key !== null && !this.#keys.has(key)) this.#keys.set(key, this.#nobody);\n    this.#running++;',
    is: 'this.#running++;',
  },
  {
    name: 'a nacked message leaves its successors in flight',
    property: 'order per key',
    file: 'src/bus/partition-tracker.ts',
    was: 'if (message?.key !== messageKey || slot >= state.acked) continue;',
    is: 'if (message?.key !== messageKey || slot !== state.parked) continue;',
  },
  {
    name: 'a message that comes back overtakes those that went before it',
    property: 'order per key by topic',
    file: 'operators/pending-order.ts',
    was: "return this.#isFirst(entry, origin) ? 'first' : 'behind';",
    is: "return 'first';",
  },
  {
    name: 'a source that delivers one past its credit',
    property: 'bounded buffers',
    file: 'src/bus/embedded/consumer.ts',
    was: 'this.#inFlight < this.#maxInFlight &&',
    is: 'this.#inFlight <= this.#maxInFlight &&',
  },
  {
    name: 'a rate limit that lets everybody wait',
    property: 'bounded buffers',
    file: 'operators/rate-limit.ts',
    was: 'if (gate.waiting >= maxWaiting)',
    is: 'if (gate.waiting > maxWaiting + 3)',
  },
  {
    name: 'a join that does not wait for the other side',
    property: 'same output however cut',
    file: 'operators/as-of-join.ts',
    was: 'if (table.watermark < at && !(this.#options.exact === true && row?.time === at)) return false;',
    is: '',
  },
  {
    name: 'a restart that skips what comes behind the snapshot',
    property: 'same output however disturbed',
    file: 'src/runtime/state-loader.ts',
    was: 'offset: offset(at) }];',
    is: 'offset: offset(at + 1) }];',
  },
  {
    name: 'a dead letter is acked before it is stored',
    property: 'failure handling',
    file: 'operators/dead-letter.ts',
    was: 'let isWanted = false;',
    is: 'let isWanted = false;\n      duty.ack();',
  },
  {
    name: 'of a batch that failed only the last message is buried',
    property: 'failure handling',
    file: 'operators/dead-letter.ts',
    was: 'const dead = gatheredIn(delivery);',
    is: 'const dead = gatheredIn(delivery).slice(-1);',
  },
  {
    name: 'a redrive forgets how often a message has died',
    property: 'failure handling',
    file: 'src/dlq/redrive-message.ts',
    was: 'deadLetters: letter.count,',
    is: 'deadLetters: 0,',
  },
  {
    name: 'a dedupe that takes a parked message for a repetition',
    property: 'failure handling',
    file: 'operators/dedupe.ts',
    was: "const { rounds, deadLetters, redrive = '' } = historyOf(message);",
    is: "const { retries: rounds, deadLetters, redrive = '' } = historyOf(message);",
  },
  {
    name: 'attempts begin anew with each round through the topic',
    property: 'failure handling',
    file: 'operators/retry-by-topic.ts',
    was: '        attempts,\n',
    is: '        attempts: failure.attempts,\n',
  },
  {
    name: 'attempts in memory are not stored',
    property: 'attempts never go back',
    file: 'operators/retry-in-memory.ts',
    was: 'this.#options.ledger?.set(delivery.message, { count, firstAt, lastAt, dueAt });',
    is: '',
  },
  {
    name: 'waits go by a clock that can be set',
    property: 'failure handling',
    file: 'src/core/steady-clock.ts',
    was: 'scheduler instanceof VirtualTimeScheduler ? scheduler.frame : performance.now()',
    is: 'scheduler.now()',
  },
  {
    name: 'a message overtakes those of its key that go round',
    property: 'failure handling',
    file: 'operators/pending-order.ts',
    was: 'if (seen === undefined) return this.#append(entry, origin, rounds);',
    is: "if (seen === undefined) return 'first';",
  },
  {
    name: 'a commit that does not wait for what it commits to be stored',
    property: 'committed together',
    file: 'src/bus/kafka/transactions/transaction-tenure.ts',
    was: '      await sender.idle();\n',
    is: '',
  },
  {
    name: 'state that is no part of the transaction',
    property: 'committed together',
    file: 'src/runtime/transaction-loop.ts',
    was: '    this.#writeState();\n',
    is: '',
  },
];
