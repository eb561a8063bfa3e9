import * as fc from 'fast-check';
import { type Observable, Subscription, map, tap } from 'rxjs';
import { deadLetter } from '../../operators/dead-letter.ts';
import { decode } from '../../operators/decode.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Delivery, gatheredIn, ok, settlement } from '../../src/core/delivery.ts';
import { Marker, markerMessage } from '../../src/core/marker.ts';
import type { Bytes } from '../../src/core/message.ts';
import type { Settlement } from '../../src/core/settlement.ts';
import { FakePublisher, RecordingMeter, type VirtualBus, virtualBus } from '../../src/testing/index.ts';
import type { ChainStep } from './chain-step.ts';
import { chainSteps } from './random-chain.ts';

/** Something that happens to the members of the group, ms after what happened before. */
interface Event {
  readonly afterMs: number;
  readonly what: 'join' | 'leave' | 'restart';
}

export interface Scenario {
  readonly steps: readonly ChainStep[];
  readonly messages: number;
  readonly keys: number;
  readonly maxInFlight: number;
  readonly latencyMs: number;
  readonly refusals: number;
  /** Of the values that reach the end, 1 in so many is nacked at its first attempts. */
  readonly nackOneIn: number;
  readonly events: readonly Event[];
  /** How long after one another the table of joins hears of time, ms. */
  readonly tableEveryMs: number;
}

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  steps: chainSteps,
  messages: fc.integer({ min: 1, max: 60 }),
  keys: fc.integer({ min: 1, max: 5 }),
  maxInFlight: fc.integer({ min: 1, max: 20 }),
  latencyMs: fc.nat(4),
  refusals: fc.nat(3),
  nackOneIn: fc.integer({ min: 2, max: 9 }),
  events: fc.array(
    fc.record({
      afterMs: fc.nat(40),
      what: fc.constantFrom('join' as const, 'join' as const, 'leave' as const, 'restart' as const),
    }),
    { maxLength: 6 },
  ),
  tableEveryMs: fc.nat(10),
});

/** One delivery as it left the source, and what was done with it. */
interface Made {
  readonly offset: number;
  readonly key: string | null;
  readonly duty: Settlement;
  readonly signal: AbortSignal;
  settled: number;
}

/** One subscription to the chain: a member of the group. */
interface Member {
  readonly made: Made[];
  readonly meter: RecordingMeter;
  readonly running: Subscription;
}

/** A chain over the stub bus, run by several members that come and go, watched at the source and at its end. */
export class Run {
  readonly made: Made[] = [];
  /** Values in the order in which they were first acked at the end, by key. */
  readonly passed = new Map<string, number[]>();
  /** Values that were dead-lettered at some time; after a restart they may come once more, and late. */
  readonly failed = new Set<number>();
  readonly overfull: string[] = [];
  readonly #scenario: Scenario;
  readonly #virtual: VirtualBus;
  readonly #publisher: FakePublisher;
  #members: Member[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#virtual = virtualBus({ topics: { in: { partitions: 3 }, table: { partitions: 3 } } });
    const { scheduler } = this.#virtual;
    this.#publisher = new FakePublisher({ scheduler, latencyMs: scenario.latencyMs });
    this.#publisher.failNext('publish-timeout', scenario.refusals);
  }

  /** Publishes, runs, lets members come and go, and everything come to rest. */
  async play(): Promise<{ readonly lag: number }> {
    this.#publish();
    this.#join();
    for (const { afterMs, what } of this.#scenario.events) {
      this.#wait(afterMs);
      if (what !== 'join' && this.#members.length > 0) this.#leave();
      if (what !== 'leave' || this.#members.length === 0) this.#join();
    }
    this.#wait(500);
    let lag = await this.#lag();
    // Slow chains take their time; ten minutes are enough for the slowest.
    for (let minutes = 0; minutes < 10 && lag > 0; minutes++) {
      this.#virtual.runFor(60_000);
      lag = await this.#lag();
    }
    while (this.#members.length > 0) this.#leave();
    return { lag };
  }

  #publish(): void {
    const { bus, scheduler } = this.#virtual;
    const nothing = (): undefined => undefined;
    const { messages, keys, tableEveryMs } = this.#scenario;
    for (let n = 0; n < messages; n++) {
      const key = `k${n % keys}`;
      bus.send({ topic: 'in', key, payload: Buffer.from(String(n)), timestamp: n }, nothing);
    }
    // The table lags behind the stream, and ends: no join waits for ever.
    for (let n = 0; n <= 8; n++) {
      const marker = n === 8 ? new Marker('end', messages) : new Marker('time', n * 8);
      scheduler.schedule(() => {
        for (const partition of [0, 1, 2]) bus.send(markerMessage('table', partition, marker), nothing);
      }, n * tableEveryMs);
    }
  }

  #join(): void {
    const member: Member = { made: [], meter: new RecordingMeter(), running: new Subscription() };
    this.#members.push(member);
    member.running.add(this.#chain(member).subscribe());
  }

  #leave(): void {
    this.#members.shift()?.running.unsubscribe();
  }

  async #lag(): Promise<number> {
    const { groups } = await this.#virtual.bus.getTopicInfo('in');
    return groups.reduce((sum, group) => sum + group.lag, 0);
  }

  #chain(member: Member): Observable<unknown> {
    const { bus, scheduler } = this.#virtual;
    const { steps, maxInFlight } = this.#scenario;
    const table = (): Observable<Delivery<string | Marker>> =>
      bus.source('table').pipe(decode({ codec: textCodec }, { markers: true }));
    const tools = { scheduler, publisher: this.#publisher, meter: member.meter, table };
    const source$ = bus.source('in', { group: 'g', maxInFlight }).pipe(
      map(delivery => this.#watch(member, delivery)),
      decode({ codec: textCodec }),
    );
    const worked$ = steps.reduce((chain$, step, i) => chain$.pipe(step.make(`step-${i}`, tools)), source$);
    return worked$.pipe(
      tap(delivery => {
        if (delivery.ok) return;
        for (const { message } of gatheredIn(delivery))
          this.failed.add(Number(String(Buffer.from(message.payload ?? []))));
      }),
      deadLetter<string>(new FakePublisher()),
      map(delivery => this.#end(delivery)),
    );
  }

  #watch(member: Member, delivery: Delivery<Bytes>): Delivery<Bytes> {
    if (!delivery.ok) return delivery;
    const { message, value, [settlement]: duty } = delivery;
    const made: Made = { offset: message.offset, key: message.key, duty, signal: duty.signal, settled: 0 };
    this.made.push(made);
    member.made.push(made);
    const unsettled = member.made.filter(one => one.settled === 0 && !one.duty.revoked).length;
    if (unsettled > this.#scenario.maxInFlight) this.overfull.push(`${unsettled} in flight`);
    return ok(value, message, watched(made));
  }

  #end(delivery: Delivery<string>): void {
    const duty = delivery[settlement];
    const n = delivery.ok ? Number(delivery.value) : 0;
    if (duty.revoked) return;
    if (duty.attempt < 3 && n % this.#scenario.nackOneIn === 0) {
      duty.nack(n % 7);
      return;
    }
    this.#pass(`k${n % this.#scenario.keys}`, n);
    duty.ack();
  }

  #pass(key: string, n: number): void {
    const seen = this.passed.get(key) ?? [];
    if (!seen.includes(n)) this.passed.set(key, [...seen, n]);
  }

  /** Time goes by in small steps, and buffers are looked at in each. */
  #wait(ms: number): void {
    for (let passed = 0; passed < ms; passed += 5) {
      this.#virtual.runFor(Math.min(5, ms - passed));
      for (const { meter } of this.#members) {
        this.#scenario.steps.forEach((step, i) => {
          const waiting = meter.read('stream_buffered', { stage: `step-${i}` }) ?? 0;
          if (waiting > step.bound) this.overfull.push(`${waiting} wait in "${step.text}"`);
        });
      }
    }
  }
}

/** Counts what is done with the duty before it is done. */
function watched(made: Made): Settlement {
  const settle = (how: () => void): void => {
    made.settled++;
    how();
  };
  return {
    ack: () => settle(() => made.duty.ack()),
    drop: by => settle(() => made.duty.drop(by)),
    nack: delayMs => settle(() => made.duty.nack(delayMs)),
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
