import * as fc from 'fast-check';
import { Subject, delay } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { decode } from '../../operators/decode.ts';
import { type DedupeOptions, dedupe } from '../../operators/dedupe.ts';
import { each } from '../../operators/each.ts';
import { firstCodec } from '../../operators/identity-memory.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import { historyOf, withHistory } from '../../src/core/message-history.ts';
import type { Message } from '../../src/core/message.ts';
import { OptionError } from '../../src/core/option.ts';
import { idleSettlement } from '../../src/core/settlement.ts';
import { MemoryKeyedState } from '../../src/core/memory-keyed-state.ts';
import { memoryStateStore, type StateStore } from '../../src/core/state.ts';
import { pipeline } from '../../src/index.ts';
import {
  type MessageSpec,
  PipelineDriver,
  RecordingMeter,
  deliveryTest,
  given,
  givenMarker,
  messageOf,
} from '../../src/testing/index.ts';
import { shouted, topics, words } from '../runtime/words.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('dedupe', {
  make: ({ scheduler }) => dedupe<string>({ scheduler }),
  makeThrowing: ({ scheduler }, error) =>
    dedupe<string>({
      scheduler,
      by: () => {
        throw error;
      },
    }),
});

type Named = ReturnType<typeof given<string>>;

const at = (offset: number, spec: MessageSpec = {}): Named => given(spec.id ?? '', { offset, ...spec });

/** Which letters pass, of those that the marbles give. */
function passing(
  marbles: string,
  values: Readonly<Record<string, Named>>,
  options: DedupeOptions<string> = {},
): { readonly passed: string; readonly meter: RecordingMeter } {
  const meter = new RecordingMeter();
  const passed: string[] = [];
  deliveryTest(({ hot, ledger, scheduler }) => {
    const letters = [...marbles.matchAll(/[a-z]/g)].map(([letter]) => letter);
    hot(marbles, values)
      .pipe(dedupe({ meter, scheduler, ...options }))
      .subscribe(delivery => {
        expect(delivery.ok).toBe(true);
        passed.push(letters[ledger.entries.length - 1] ?? '');
        delivery[settlement].ack();
      });
  });
  return { passed: passed.join(''), meter };
}

describe('dedupe', () => {
  it('passes the first of an identity, and acks and counts the others', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('-a-b-c-d|', {
        a: at(0, { id: 'x' }),
        b: at(1, { id: 'y' }),
        c: at(2, { id: 'x' }),
        d: at(3, { id: 'x' }),
      });
      expectDeliveries(source.pipe(dedupe({ meter, name: 'once' }))).toBe('-a-b----|', { a: 'x', b: 'y' });
      expectSettled({ acked: '-a-b-c-d' });
    });
    expect(meter.count('stream_duplicates_total', { stage: 'once' })).toBe(2);
    expect(meter.count('stream_dedupe_forgotten_total', { stage: 'once' })).toBe(0);
  });

  it('goes by the key, or by what a function says; who has no identity passes', () => {
    const values = {
      a: at(0, { id: 'p', key: 'k' }),
      b: at(1, { id: 'q', key: 'k' }),
      c: at(2, { id: 'p', key: null }),
      d: at(3, { id: 'q', key: null }),
    };
    expect(passing('abcd|', values, { by: 'key' }).passed).toBe('acd');
    const by = (value: string, { offset }: Message): string | undefined => (offset === 3 ? undefined : value);
    expect(passing('abcd|', values, { by }).passed).toBe('abd');
  });

  it('lets markers pass', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const marker = new Marker('time', 1);
      const source = hot('mn|', { m: givenMarker(marker), n: givenMarker(marker, { offset: 9 }) });
      expectDeliveries(source.pipe(dedupe({ by: () => 'same' }))).toBe('mn|', { m: marker, n: marker });
      expectSettled({ acked: 'mn' });
    });
  });

  it('lets the first pass again when it comes again, and only that', () => {
    const first = at(5, { id: 'x' });
    expect(passing('abc|', { a: first, b: first, c: at(6, { id: 'x' }) }).passed).toBe('ab');
    const elsewhere = at(5, { id: 'x', topic: 'other' });
    expect(passing('ab|', { a: first, b: elsewhere }).passed).toBe('a');
  });

  it('lets the first come again that was nacked after its repetition was acked', () => {
    const x0 = at(0, { id: 'x', key: 'k' });
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot('ab---c-|', { a: x0, b: at(1, { id: 'x', key: 'k' }), c: x0 });
      const slow = each<string, string>(value$ => value$.pipe(delay(1)));
      const out = source.pipe(dedupe({}), slow);
      let nacked = false;
      const settle = (delivery: Delivery<string>): void => {
        if (nacked) delivery[settlement].ack();
        else delivery[settlement].nack();
        nacked = true;
      };
      expectDeliveries(out, { settle }).toBe('-x----x|', { x: 'x' });
      expectSettled({ acked: '-b----c', nacked: '-a' });
    });
  });

  it('takes nothing for a repetition that is sent round again, but the same sending stored twice', () => {
    const original = messageOf({ offset: 0, id: 'x' });
    const sent = (offset: number, change: Partial<ReturnType<typeof historyOf>>): Named =>
      at(offset, {
        id: 'x',
        headers: withHistory(original.headers, { ...historyOf(original), attempts: 1, ...change }),
      });
    const values = {
      a: at(0, { id: 'x' }),
      b: sent(1, { retries: 1, rounds: 1 }),
      c: sent(2, { retries: 1, rounds: 1 }),
      d: sent(3, { retries: 2, rounds: 2 }),
      // Only because another of its key goes before it.
      p: sent(8, { retries: 2, rounds: 3 }),
      e: sent(4, { deadLetters: 1, redrive: 'r1' }),
      f: sent(5, { deadLetters: 1, redrive: 'r1' }),
      g: sent(6, { deadLetters: 1, redrive: 'r2' }),
      h: at(7, { id: 'x' }),
    };
    expect(passing('abcdpefgh|', values).passed).toBe('abdpeg');
    const byRedrive = { by: (_: string, message: Message) => historyOf(message).redrive };
    expect(passing('abcdpefgh|', values, byRedrive).passed).toBe('abcdpegh');
  });

  it('remembers for so long in event time, from the first on', () => {
    const values = {
      a: at(0, { id: 'x', timestamp: 1_000 }),
      b: at(1, { id: 'x', timestamp: 1_099 }),
      c: at(2, { id: 'x', timestamp: 500 }),
      d: at(3, { id: 'x', timestamp: 1_100 }),
      e: at(4, { id: 'x', timestamp: 1_199 }),
    };
    const { passed, meter } = passing('abcde|', values, { withinMs: 100 });
    expect(passed).toBe('ad');
    expect(meter.count('stream_dedupe_forgotten_total', { stage: 'dedupe' })).toBe(0);
  });

  it('remembers so many of a partition; the oldest goes, counted unless its time was over', () => {
    const of = (offset: number, id: string, partition: number): Named =>
      at(offset, { id, partition, timestamp: offset * 100 });
    const values = {
      a: of(0, 'x', 0),
      b: of(1, 'y', 0),
      c: of(0, 'z', 1),
      d: of(2, 'x', 0),
      e: of(3, 'z', 0),
      f: of(4, 'x', 0),
      g: of(1, 'z', 1),
    };
    const { passed, meter } = passing('abcdefg|', values, { maxEntries: 2 });
    expect(passed).toBe('abcef');
    expect(meter.count('stream_dedupe_forgotten_total', { stage: 'dedupe' })).toBe(2);
    const timed = passing('abcdefg|', values, { maxEntries: 2, withinMs: 250 });
    expect(timed.passed).toBe('abcef');
    // x was over when z came, y when x came again.
    expect(timed.meter.count('stream_dedupe_forgotten_total', { stage: 'dedupe' })).toBe(0);
  });

  it('holds no more than its bound, though one message far ahead of its time stands in front', () => {
    const { store, states } = openStore();
    const source$ = new Subject<Delivery<string>>();
    source$.pipe(dedupe({ withinMs: 10, maxEntries: 5, state: store })).subscribe();
    const send = (id: string, offset: number, timestamp: number): void =>
      source$.next(ok('', messageOf({ id, offset, timestamp }), idleSettlement));
    send('future', 0, 1e9);
    for (let n = 1; n < 1_000; n++) send(`x${n % 3}`, n, n * 10);
    expect(states.size).toBe(4);
    for (let n = 1_000; n < 2_000; n++) send(`y${n}`, n, n * 10);
    expect(states.size).toBe(1);
  });

  it('keeps its memory in the store under its name', () => {
    const { store, states, names } = openStore();
    const source$ = new Subject<Delivery<string>>();
    source$.pipe(dedupe({ state: store, name: 'orders-once' })).subscribe();
    source$.next(ok('', messageOf({ id: 'x', partition: 3, offset: 7, timestamp: 50 }), idleSettlement));
    expect(names).toEqual(['orders-once']);
    expect(states.get(3, 'x')).toMatchObject({ touchedAt: 50, dirty: true });
  });

  it('refuses a stored memory that is not its own', () => {
    for (const json of [null, 'x', [1, 2, 3], ['t', 1], { topic: 't' }]) {
      expect(() => firstCodec.decode(json)).toThrow('not a first message');
    }
  });

  // Kills: a place that is not compared; time of arrival in place of event time; a restored memory that forgets
  // in another order; an entry remembered anew that its old one takes along.
  it('does as a plain list does, with redeliveries, and with restarts from snapshots', () => {
    fc.assert(
      fc.property(scenario, ({ given, withinMs, maxEntries, restarts }) => {
        const messages = given.map((spec, i) => messageOf({ ...spec, offset: i, topic: 'in' }));
        const bounds = { withinMs, maxEntries };
        const expected = new PlainList(bounds);
        const undisturbed = messages.map(message => expected.passes(message));
        const passed: boolean[] = [];
        let { store, states } = openStore();
        for (const { from, lost } of [...restarts, { from: messages.length, lost: 0 }]) {
          passed.push(...run(messages.slice(passed.length, from), bounds, store));
          const snapshot = restoredFrom(states);
          // What comes between the snapshot and the crash comes again after it.
          run(messages.slice(passed.length, passed.length + lost), bounds, store);
          ({ store, states } = snapshot);
        }
        expect(passed).toEqual(undisturbed);
      }),
      { numRuns: 500 },
    );
  });

  it('finds after a restart of the pipeline what came before it', async () => {
    const once = pipeline('once', ({ source, publisher, onFailure, state }) =>
      source(words).pipe(decode(words), dedupe({ state }), publishTo(shouted, publisher), onFailure()),
    );
    const driver = await PipelineDriver.start({
      topics,
      pipelines: () => [once],
      runtime: { snapshotIntervalMs: 1_000 },
    });
    const say = (word: string): void => driver.give(words, word, { id: word, partition: 0 });
    for (const word of ['a', 'b', 'a']) say(word);
    driver.runFor(2_000);
    await driver.restart();
    for (const word of ['b', 'c', 'a']) say(word);
    // Stopped before the next snapshot: c comes again, and is published again under its id.
    await driver.restart();
    say('c');
    expect(driver.values(shouted)).toEqual(['a', 'b', 'c', 'c']);
  });

  it.each([
    [{ withinMs: 0 }, 'dedupe.withinMs is 0, must be a number from 1'],
    [{ maxEntries: 0 }, 'dedupe.maxEntries is 0, must be a whole number from 1'],
  ])('refuses %j when it is made', (options, problem) => {
    expect(() => dedupe(options)).toThrow(OptionError);
    expect(() => dedupe(options)).toThrow(problem);
  });
});

/** A store that a test can look into. */
function openStore(states: MemoryKeyedState<never> = new MemoryKeyedState()): {
  readonly store: StateStore;
  readonly states: MemoryKeyedState<never>;
  readonly names: string[];
} {
  const names: string[] = [];
  const keyed: StateStore['keyed'] = name => {
    names.push(name);
    return states;
  };
  return { store: { ...memoryStateStore(), keyed }, states, names };
}

/** The states as a snapshot gives them back: in another order. */
function restoredFrom(states: MemoryKeyedState<never>): ReturnType<typeof openStore> {
  const restored = new MemoryKeyedState<unknown>();
  for (const partition of states.partitions) {
    for (const { key, state, touchedAt } of [...states.entries(partition)].reverse()) {
      const json: unknown = JSON.parse(JSON.stringify(firstCodec.encode(state)));
      restored.create(partition, key, firstCodec.decode(json)).touchedAt = touchedAt;
    }
  }
  return openStore(restored as MemoryKeyedState<never>);
}

/** Of each message whether it passes; each third one comes twice, as after a nack. */
function run(messages: readonly Message[], bounds: Bounds, state: StateStore): boolean[] {
  const source$ = new Subject<Delivery<string>>();
  let passed = 0;
  source$.pipe(dedupe({ ...bounds, state })).subscribe(() => passed++);
  return messages.map(message => {
    const before = passed;
    source$.next(ok('', message, idleSettlement));
    const passes = passed > before;
    if (message.offset % 3 === 0) source$.next(ok('', message, idleSettlement));
    expect(passed - before).toBe(passes && message.offset % 3 === 0 ? 2 : Number(passes));
    return passes;
  });
}

interface Bounds {
  readonly withinMs: number;
  readonly maxEntries: number;
}

/** What dedupe is to do, without an index. */
class PlainList {
  readonly #bounds: Bounds;
  #first: Message[] = [];

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  passes(message: Message): boolean {
    const { withinMs, maxEntries } = this.#bounds;
    const isOver = ({ timestamp }: Message): boolean => message.timestamp - timestamp >= withinMs;
    const isOwn = ({ partition }: Message): boolean => partition === message.partition;
    const known = this.#first.find(first => isOwn(first) && first.id === message.id);
    if (known !== undefined && !isOver(known)) return false;
    this.#first = [...this.#first.filter(first => first !== known), message];
    for (;;) {
      const own = this.#first.filter(isOwn);
      const [oldest] = own;
      if (oldest === undefined || (!isOver(oldest) && own.length <= maxEntries)) return true;
      this.#first = this.#first.filter(first => first !== oldest);
    }
  }
}

const scenario = fc.record({
  given: fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      partition: fc.nat(1),
      timestamp: fc.nat(60),
    }),
    { minLength: 1, maxLength: 60, size: 'max' },
  ),
  withinMs: fc.constantFrom(5, 20, 1_000),
  maxEntries: fc.integer({ min: 1, max: 5 }),
  /** Snapshots are taken there; so many messages are lost with the crash that follows. */
  restarts: fc
    .array(fc.record({ from: fc.nat(60), lost: fc.nat(20) }), { maxLength: 4, size: 'max' })
    .map(restarts => restarts.sort((a, b) => a.from - b.from)),
});
