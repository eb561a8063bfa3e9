import * as fc from 'fast-check';
import { type Observable, delayWhen, map, of, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { circuitBreaker } from '../../operators/circuit-breaker.ts';
import type { CircuitChange } from '../../operators/circuit.ts';
import { deadLetter } from '../../operators/dead-letter.ts';
import { decode } from '../../operators/decode.ts';
import { each } from '../../operators/each.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { FakePublisher, RecordingMeter, type VirtualBus, virtualBus } from '../../src/testing/index.ts';

/** A service that is away for a while, behind a circuit breaker, and what is sent to it. */
interface Outage {
  /** Each so many messages, and the pause after them, ms. */
  readonly bursts: readonly { readonly messages: number; readonly pauseMs: number }[];
  readonly keys: number;
  readonly maxInFlight: number;
  /** 0: it answers at once. */
  readonly serviceMs: number;
  /** The service is away for so long from here, ms. */
  readonly awayAt: number;
  readonly awayMs: number;
  readonly failures: number;
  readonly coolDownMs: number;
  /** Of those that come through, 1 in so many is nacked the first time. */
  readonly nackOneIn: number;
  /** The chain is unsubscribed from, and subscribed to again, at this time; undefined: never. */
  readonly restartAt: number | undefined;
}

class Played {
  readonly #outage: Outage;
  readonly #virtual: VirtualBus = virtualBus({ topics: { in: { partitions: 2 } } });
  readonly #meter = new RecordingMeter();
  readonly changes: CircuitChange[] = [];
  /** Keys and numbers as they went into the section. */
  readonly entered: { readonly key: string; readonly n: number }[] = [];
  readonly through = new Set<number>();
  readonly buried: FakePublisher = new FakePublisher();
  mostWaiting = 0;
  sent = 0;
  lag = 0;

  constructor(outage: Outage) {
    this.#outage = outage;
  }

  async play(): Promise<this> {
    const { bursts, restartAt = Number.POSITIVE_INFINITY } = this.#outage;
    let running = this.#chain().subscribe();
    const passing = (ms: number): void => {
      for (let passed = 0; passed < ms; passed++) {
        this.#virtual.runFor(1);
        const waiting = this.#meter.read('stream_buffered', { stage: 'circuitBreaker' }) ?? 0;
        this.mostWaiting = Math.max(this.mostWaiting, waiting);
        if (this.#virtual.scheduler.now() !== restartAt) continue;
        running.unsubscribe();
        running = this.#chain().subscribe();
      }
    };
    for (const { messages, pauseMs } of bursts) {
      for (let i = 0; i < messages; i++) this.#send();
      passing(pauseMs);
    }
    passing(1000);
    this.#virtual.runFor(600_000);
    const { groups } = await this.#virtual.bus.getTopicInfo('in');
    this.lag = groups.reduce((sum, group) => sum + group.lag, 0);
    running.unsubscribe();
    return this;
  }

  #send(): void {
    const n = this.sent++;
    const key = `k${n % this.#outage.keys}`;
    this.#virtual.bus.send({ topic: 'in', key, payload: Buffer.from(String(n)) }, () => undefined);
  }

  #chain(): Observable<unknown> {
    const { maxInFlight, failures, coolDownMs } = this.#outage;
    const { bus, scheduler } = this.#virtual;
    const guarded = circuitBreaker(each(this.#service, { concurrency: 8, scheduler }), {
      failures,
      coolDownMs,
      demand: maxInFlight,
      scheduler,
      meter: this.#meter,
      onChange: change => this.changes.push(change),
    });
    return bus.source('in', { group: 'g', maxInFlight }).pipe(
      decode({ codec: textCodec }),
      guarded,
      deadLetter<string>(this.buried),
      map(delivery => this.#end(delivery)),
    );
  }

  readonly #service = (text$: Observable<string>): Observable<string> => {
    const { awayAt, awayMs, serviceMs, keys } = this.#outage;
    const { scheduler } = this.#virtual;
    return text$.pipe(
      delayWhen(text => {
        this.entered.push({ key: `k${Number(text) % keys}`, n: Number(text) });
        return serviceMs === 0 ? of(0) : timer(serviceMs, scheduler);
      }),
      map(text => {
        const now = scheduler.now();
        if (now >= awayAt && now < awayAt + awayMs) throw new Error('away');
        return text;
      }),
    );
  };

  #end(delivery: Delivery<string>): void {
    const duty = delivery[settlement];
    const n = delivery.ok ? Number(delivery.value) : -1;
    if (duty.revoked) return;
    if (duty.attempt === 1 && n % this.#outage.nackOneIn === 1) {
      duty.nack(n % 7);
      return;
    }
    this.through.add(n);
    duty.ack();
  }

  get lost(): readonly number[] {
    const buried = new Set(
      this.buried.stored.map(({ payload }) => Number(Buffer.from(payload ?? []).toString())),
    );
    return Array.from({ length: this.sent }, (_, n) => n).filter(n => !this.through.has(n) && !buried.has(n));
  }

  get openings(): number {
    return this.changes.filter(({ to }) => to === 'open').length;
  }
}

const steady: Outage = {
  bursts: [],
  keys: 5,
  maxInFlight: 16,
  serviceMs: 2,
  awayAt: 50,
  awayMs: 400,
  failures: 5,
  coolDownMs: 50,
  nackOneIn: Number.POSITIVE_INFINITY,
  restartAt: undefined,
};
const slow = Array.from({ length: 150 }, () => ({ messages: 1, pauseMs: 4 }));
const fast = [{ messages: 2000, pauseMs: 1000 }];
const bursty = Array.from({ length: 12 }, () => ({ messages: 60, pauseMs: 60 }));

describe('circuitBreaker before a service that is away', () => {
  it.each([
    ['a slow source', slow],
    ['a fast source', fast],
    ['a bursty source', bursty],
  ])('loses nothing of %s, and burns none of its backlog', async (_, bursts) => {
    const played = await new Played({ ...steady, bursts }).play();
    expect(played.lost).toEqual([]);
    expect(played.lag).toBe(0);
    expect(played.changes.at(-1)?.to).toBe('closed');
    // What opened it, what was in the section then, and one for each time that it tried again.
    const { failures, maxInFlight } = steady;
    expect(played.buried.stored.length).toBeGreaterThanOrEqual(failures);
    expect(played.buried.stored.length).toBeLessThanOrEqual(failures + maxInFlight + played.openings);
    expect(played.mostWaiting).toBeLessThanOrEqual(maxInFlight);
  });

  const burst = fc.record({ messages: fc.nat(30), pauseMs: fc.nat(60) });
  const outage: fc.Arbitrary<Outage> = fc.record({
    bursts: fc.array(burst, { minLength: 1, maxLength: 8 }),
    keys: fc.integer({ min: 1, max: 6 }),
    maxInFlight: fc.integer({ min: 1, max: 24 }),
    serviceMs: fc.nat(6),
    awayAt: fc.nat(100),
    awayMs: fc.nat(400),
    failures: fc.integer({ min: 1, max: 6 }),
    coolDownMs: fc.integer({ min: 1, max: 80 }),
    nackOneIn: fc.integer({ min: 2, max: 9 }),
    restartAt: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
  });

  // Kills: a place that stays taken when its delivery is taken back; a wait that forgets what it drops; an
  // opening that does not hold back.
  it('loses nothing and settles all, whatever fails, is nacked, or begins anew', async () => {
    await fc.assert(
      fc.asyncProperty(outage, async random => {
        const played = await new Played(random).play();
        expect(played.lost).toEqual([]);
        expect(played.lag).toBe(0);
        expect(played.mostWaiting).toBeLessThanOrEqual(random.maxInFlight * 3);
      }),
      { numRuns: 100 },
    );
  });

  // Kills: what comes while others wait and goes in before them.
  it('lets the messages of a key in as they came', async () => {
    await fc.assert(
      fc.asyncProperty(outage, async random => {
        const { entered } = await new Played({
          ...random,
          restartAt: undefined,
          nackOneIn: Number.POSITIVE_INFINITY,
        }).play();
        for (const key of new Set(entered.map(one => one.key))) {
          const numbers = entered.filter(one => one.key === key).map(({ n }) => n);
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        }
      }),
      { numRuns: 100 },
    );
  });
});
