import * as fc from 'fast-check';
import { type Observable, map, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deadLetter } from '../../operators/dead-letter.ts';
import { decode } from '../../operators/decode.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Delivery, ok, settlement } from '../../src/core/delivery.ts';
import type { Bytes } from '../../src/core/message.ts';
import type { Settlement } from '../../src/core/settlement.ts';
import { FakePublisher, RecordingMeter, type VirtualBus, virtualBus } from '../../src/testing/index.ts';
import { type ChainStep, type ChainTools, chainSteps } from './random-chain.ts';

interface Scenario {
  readonly steps: readonly ChainStep[];
  readonly messages: number;
  readonly keys: number;
  readonly maxInFlight: number;
  readonly latencyMs: number;
  readonly refusals: number;
  /** Of the values that reach the end, 1 in so many is nacked at its first attempts. */
  readonly nackOneIn: number;
  /** After how many ms the chain is unsubscribed from, and subscribed to again. */
  readonly restarts: readonly number[];
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  steps: chainSteps,
  messages: fc.integer({ min: 1, max: 60 }),
  keys: fc.integer({ min: 1, max: 5 }),
  maxInFlight: fc.integer({ min: 1, max: 20 }),
  latencyMs: fc.nat(4),
  refusals: fc.nat(3),
  nackOneIn: fc.integer({ min: 2, max: 9 }),
  restarts: fc.array(fc.nat(40), { maxLength: 3 }),
});

/**
 * A batch comes again as a whole, and goes by the key of its last member; what failed may have overtaken others
 * before it falls back; a dedupe that has forgotten with its subscription passes what it left out before. Order
 * is not their promise.
 */
const unordered = /^(batch|fall back|dedupe)/;
const inOrder: fc.Arbitrary<Scenario> = scenario.map(random => ({
  ...random,
  steps: random.steps.filter(({ text }) => !unordered.test(text)),
}));

/** One delivery as it left the source, and what was done with it. */
interface Made {
  readonly offset: number;
  readonly key: string | null;
  readonly duty: Settlement;
  settled: number;
  outcome: 'acked' | 'nacked' | undefined;
}

/** A chain over the stub bus, watched at the source and at its end. */
class Run {
  readonly made: Made[] = [];
  /** Offsets in the order in which they first reached the end, by key. */
  readonly arrived = new Map<string, number[]>();
  /** Values that were dead-lettered at some time; after a restart they may come once more, and late. */
  readonly failed = new Set<number>();
  readonly overfull: string[] = [];
  readonly #scenario: Scenario;
  readonly #virtual: VirtualBus;
  readonly #tools: ChainTools & { readonly meter: RecordingMeter };

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#virtual = virtualBus({ topics: { in: { partitions: 2 } } });
    const { scheduler } = this.#virtual;
    const publisher = new FakePublisher({ scheduler, latencyMs: scenario.latencyMs });
    publisher.failNext('publish-timeout', scenario.refusals);
    this.#tools = { scheduler, publisher, meter: new RecordingMeter() };
  }

  /** Publishes, runs, restarts, and lets everything come to rest. */
  async play(): Promise<{ readonly lag: number }> {
    const { bus } = this.#virtual;
    for (let n = 0; n < this.#scenario.messages; n++) {
      bus.send(
        { topic: 'in', key: `k${n % this.#scenario.keys}`, payload: Buffer.from(String(n)) },
        () => undefined,
      );
    }
    for (const ms of this.#scenario.restarts) {
      const subscription = this.#chain().subscribe();
      this.#pass(ms);
      subscription.unsubscribe();
    }
    const last = this.#chain().subscribe();
    this.#pass(500);
    let lag = await this.#lag();
    // Slow chains take their time; ten minutes are enough for the slowest.
    for (let minutes = 0; minutes < 10 && lag > 0; minutes++) {
      this.#virtual.runFor(60_000);
      lag = await this.#lag();
    }
    last.unsubscribe();
    return { lag };
  }

  async #lag(): Promise<number> {
    const { groups } = await this.#virtual.bus.getTopicInfo('in');
    return groups.reduce((sum, group) => sum + group.lag, 0);
  }

  #chain(): Observable<unknown> {
    const { bus } = this.#virtual;
    const { steps, maxInFlight } = this.#scenario;
    const source$ = bus.source('in', { group: 'g', maxInFlight }).pipe(
      map(delivery => this.#watch(delivery)),
      decode({ codec: textCodec }),
    );
    const worked$ = steps.reduce(
      (chain$, step, i) => chain$.pipe(step.make(`step-${i}`, this.#tools)),
      source$,
    );
    return worked$.pipe(
      tap(delivery => {
        if (!delivery.ok) this.failed.add(Number(String(Buffer.from(delivery.message.payload ?? []))));
      }),
      deadLetter<string>(new FakePublisher()),
      map(delivery => this.#end(delivery)),
    );
  }

  #watch(delivery: Delivery<Bytes>): Delivery<Bytes> {
    if (!delivery.ok) return delivery;
    const { message, value } = delivery;
    const made: Made = {
      offset: message.offset,
      key: message.key,
      duty: delivery[settlement],
      settled: 0,
      outcome: undefined,
    };
    this.made.push(made);
    const unsettled = this.made.filter(({ duty, settled }) => settled === 0 && !duty.revoked).length;
    if (unsettled > this.#scenario.maxInFlight) this.overfull.push(`${unsettled} in flight`);
    return ok(value, message, watched(made));
  }

  #end(delivery: Delivery<string>): void {
    const duty = delivery[settlement];
    const n = delivery.ok ? Number(delivery.value) : 0;
    if (duty.revoked) return;
    this.#arrive(`k${n % this.#scenario.keys}`, n);
    if (duty.attempt < 3 && n % this.#scenario.nackOneIn === 0) duty.nack(n % 7);
    else duty.ack();
  }

  #arrive(key: string, n: number): void {
    const seen = this.arrived.get(key) ?? [];
    if (!seen.includes(n)) this.arrived.set(key, [...seen, n]);
  }

  /** Time goes by in small steps, and buffers are looked at in each. */
  #pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 5) {
      this.#virtual.runFor(Math.min(5, ms - passed));
      this.#scenario.steps.forEach((step, i) => {
        const waiting = this.#tools.meter.read('stream_buffered', { stage: `step-${i}` }) ?? 0;
        if (waiting > step.bound) this.overfull.push(`${waiting} wait in "${step.text}"`);
      });
    }
  }
}

/** Counts what is done with the duty before it is done. */
function watched(made: Made): Settlement {
  const settle = (outcome: 'acked' | 'nacked', how: () => void): void => {
    made.settled++;
    if (!made.duty.revoked) made.outcome = outcome;
    how();
  };
  return {
    ack: () => settle('acked', () => made.duty.ack()),
    nack: delayMs => settle('nacked', () => made.duty.nack(delayMs)),
    get attempt() {
      return made.duty.attempt;
    },
    get revoked() {
      return made.duty.revoked;
    },
    get signal() {
      return made.duty.signal;
    },
  };
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0));
}

describe('random chains over the stub bus', () => {
  const holding = async (
    check: (run: Run, lag: number) => void,
    scenarios: fc.Arbitrary<Scenario> = scenario,
  ): Promise<void> => {
    await fc.assert(
      fc.asyncProperty(scenarios, async random => {
        const run = new Run(random);
        const { lag } = await run.play();
        check(run, lag);
      }),
      { numRuns: 150 },
    );
  };

  // Kills: batch without its flush by time; a fanOut of nothing that does not ack; a SharedSettlement that
  // acks with its first share and again with its last; publishTo that forgets a refused message; redelivery that
  // does not take back successors in flight.
  it('settle every delivery once, and leave nothing in flight or uncommitted', async () => {
    await holding(({ made }, lag) => {
      expect(made.filter(({ settled }) => settled > 1)).toEqual([]);
      const inFlight = made.filter(({ duty, settled }) => settled === 0 && !duty.revoked);
      expect(inFlight.map(({ offset }) => offset)).toEqual([]);
      expect(lag).toBe(0);
    });
  });

  // Kills: each that starts a key's successor while it runs.
  it('bring the values of a key to the end in order, judged by their first coming', async () => {
    await holding(({ arrived, failed }) => {
      for (const values of arrived.values()) {
        expect(values.filter(value => !failed.has(value))).toSatisfy(isAscending);
      }
    }, inOrder);
  });

  // Kills: each or rateLimit without their bound; batch that flushes one too late; a source that delivers
  // past its credit.
  it('hold no more than they may', async () => {
    await holding(({ overfull }) => expect(overfull).toEqual([]));
  });
});
