import { type OperatorFunction, asyncScheduler } from 'rxjs';
import { type Delivery, type Ok, fail, settlement } from '../src/core/delivery.ts';
import { handleFailure } from '../src/core/failure.ts';
import { isMarker } from '../src/core/marker.ts';
import { historyHeaders, historyOf } from '../src/core/message-history.ts';
import type { Message } from '../src/core/message.ts';
import { type Meter, idleMeter } from '../src/core/meter.ts';
import { finiteNumber, wholeNumber } from '../src/core/option.ts';
import { stage } from '../src/core/stage.ts';
import { type StateStore, memoryStateStore } from '../src/core/state.ts';
import { IdentityMemory, firstCodec } from './identity-memory.ts';
import type { StageOptions } from './map-values.ts';

export interface DedupeOptions<A> extends StageOptions {
  /** Names the state in the store; must not change once state is stored. Default `dedupe`. */
  readonly name?: string;
  /**
   * What repetitions have in common. `id` (default): the message's id. `key`: its key, so that one message of a
   * key passes each `withinMs`. A function: what it says; undefined, or no key: never a repetition.
   */
  readonly by?: 'id' | 'key' | ((value: A, message: Message) => string | undefined);
  /** How long after the first of its identity a message counts as a repetition, ms of event time; default: for ever. */
  readonly withinMs?: number;
  /** Identities remembered per partition; past it the oldest is forgotten. Default 100 000. */
  readonly maxEntries?: number;
  /** Where the memory lives; default: in memory, gone with the subscription. */
  readonly state?: StateStore;
  /** Counts `stream_duplicates_total`, and as `stream_dedupe_forgotten_total` what `maxEntries` forgot too early. */
  readonly meter?: Meter;
}

/**
 * Passes the first message of each identity and acks its repetitions. They are looked for in the partition of the
 * first, where the same key goes, too.
 *
 * ```
 * in   --a---b---a---c--|
 * out  --a---b-------c--|      the second a is acked
 * ```
 *
 * The first itself passes again when it comes again: redelivered, or after a restart from a snapshot. What is
 * sent round again on purpose, through the retry topic or as a redriven dead letter, is no repetition of what was
 * sent before; the same sending stored twice is. Time is event time, so that a replay passes the same messages.
 * What a function throws becomes a `handle` failure; failures and markers pass.
 *
 * @example
 * orders.pipe(dedupe({ withinMs: 3_600_000 }))
 *
 * @throws OptionError when made, for a bound out of range
 */
export function dedupe<A>(options: DedupeOptions<A> = {}): OperatorFunction<Delivery<A>, Delivery<A>> {
  const { name = 'dedupe', by = 'id', maxEntries = 100_000, withinMs = Number.POSITIVE_INFINITY } = options;
  const { scheduler = asyncScheduler, meter = idleMeter } = options;
  if (withinMs !== Number.POSITIVE_INFINITY) finiteNumber(`${name}.withinMs`, withinMs, 1);
  wholeNumber(`${name}.maxEntries`, maxEntries, 1);
  const duplicates = meter.counter('stream_duplicates_total', { stage: name });
  const forgotten = meter.counter('stream_dedupe_forgotten_total', { stage: name });
  return stage(name, subscriber => {
    const states = (options.state ?? memoryStateStore()).keyed(name, firstCodec);
    const memory = new IdentityMemory(states, { withinMs, maxEntries }, forgotten);
    const isRepetition = ({ value, message }: Ok<A>): boolean => {
      const identity = identityOf(by, value, message);
      return identity !== undefined && memory.isRepetition(sendingOf(identity, message), message);
    };
    return {
      next: (delivery: Delivery<A>) => {
        if (!delivery.ok || isMarker(delivery.value)) return subscriber.next(delivery);
        let repeated: boolean;
        try {
          repeated = isRepetition(delivery);
        } catch (error) {
          const failure = handleFailure(name, error, delivery[settlement].attempt, scheduler.now());
          return subscriber.next(fail(delivery, failure));
        }
        if (!repeated) return subscriber.next(delivery);
        // The first may still be in flight. If it is nacked it comes again, and passes, for its place is known; if
        // its partition is given up before a snapshot, memory and offsets go back together to before both.
        duplicates.add();
        return delivery[settlement].ack();
      },
    };
  });
}

function identityOf<A>(
  by: NonNullable<DedupeOptions<A>['by']>,
  value: A,
  message: Message,
): string | undefined {
  if (typeof by === 'function') return by(value, message);
  return by === 'id' ? message.id : (message.key ?? undefined);
}

/** The identity of this sending of a message: most are sent once. */
function sendingOf(identity: string, message: Message): string {
  if (!message.headers.has(historyHeaders.originTopic)) return identity;
  const { rounds, deadLetters, redrive = '' } = historyOf(message);
  return `${rounds}/${deadLetters}/${redrive}/${identity}`;
}
