import * as fc from 'fast-check';
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { PartitionTracker } from '../../src/bus/partition-tracker.ts';
import type { Message } from '../../src/core/message.ts';
import type { Settlement } from '../../src/core/settlement.ts';
import { messageOf } from '../../src/testing/index.ts';

/** A tracker, what it told its host, and the deliveries that the test holds. */
export class Bench {
  readonly scheduler: VirtualTimeScheduler = new VirtualTimeScheduler(VirtualAction, 0);
  readonly tracker: PartitionTracker;
  /** Deliveries made and not settled by the test, those that were taken back included. */
  readonly held: { message: Message; duty: Settlement }[] = [];
  /** Offsets in the order in which they were delivered, again if they came again. */
  readonly delivered: number[] = [];
  nextOffset = 0;
  /** Called when credit is free again, as a consumer that delivers at once would be. */
  onReleased: () => void = () => undefined;

  constructor(start = 0) {
    const nothing = (): undefined => undefined;
    const released = (): void => this.onReleased();
    const host = { scheduler: this.scheduler, released, redeliverable: nothing, advanced: nothing };
    this.tracker = new PartitionTracker(host, 'topic', 0, start);
    this.nextOffset = start;
  }

  take(key: string | null, gap = 0): void {
    this.nextOffset += gap;
    const message = messageOf({ key, offset: this.nextOffset++, payload: 'xx' });
    const duty = this.tracker.take(message);
    if (duty) this.#deliver(message, duty);
  }

  /** Delivers all that may come again now. */
  redeliver(): void {
    this.pass(0);
    for (let due = this.tracker.nextRedelivery(); due; due = this.tracker.nextRedelivery()) {
      this.#deliver(due.message, due);
    }
  }

  /** Settles the delivery held at this place as an operator of this name that lets it go. */
  drop(at: number, by: string): void {
    const [delivery] = this.held.splice(at, 1);
    delivery?.duty.drop(by);
  }

  /** Settles the delivery held at this place: acks it, or nacks it where there is a delay. */
  settle(at: number, nackDelayMs?: number): void {
    const [delivery] = this.held.splice(at, 1);
    if (nackDelayMs === undefined) delivery?.duty.ack();
    else delivery?.duty.nack(nackDelayMs);
  }

  pass(ms: number): void {
    this.scheduler.maxFrames = this.scheduler.frame + ms;
    this.scheduler.schedule(() => undefined, ms);
    this.scheduler.flush();
  }

  /** The offsets that are out and not taken back. */
  get live(): number[] {
    return this.held.filter(({ duty }) => !duty.revoked).map(({ message }) => message.offset);
  }

  #deliver(message: Message, duty: Settlement): void {
    this.held.push({ message, duty });
    this.delivered.push(message.offset);
  }
}

interface Entry {
  readonly offset: number;
  readonly key: string | null;
  state: 'out' | 'waiting' | 'acked';
  droppedBy: string | undefined;
  /** From when it may come again while it waits; without bound while it waits for an earlier one. */
  dueAt: number;
  /** At or behind a nacked message of its key. */
  parked: boolean;
}

/** The tracker, done naively: every question is answered by looking at every message ever taken. */
export class TrackerModel {
  readonly entries: Entry[] = [];
  now = 0;
  nextOffset = 0;
  revoked = false;

  take(key: string | null, gap: number): void {
    this.nextOffset += gap;
    const parked = this.#open(key).some(entry => entry.parked);
    const state = parked ? 'waiting' : 'out';
    const dueAt = Number.POSITIVE_INFINITY;
    this.entries.push({ offset: this.nextOffset++, key, state, dueAt, parked, droppedBy: undefined });
  }

  ack(offset: number, droppedBy?: string): void {
    const entry = this.#out(offset);
    if (!entry) return;
    Object.assign(entry, { state: 'acked', droppedBy });
    const next = entry.parked ? this.#open(entry.key).find(other => other.parked) : undefined;
    if (next) next.dueAt = this.now;
  }

  nack(offset: number, delayMs: number): void {
    const entry = this.#out(offset);
    if (!entry) return;
    const successors = entry.key === null ? [] : this.#open(entry.key).filter(other => other.offset > offset);
    for (const other of successors) Object.assign(other, waiting);
    Object.assign(entry, waiting, { dueAt: this.now + delayMs });
  }

  redeliver(): void {
    for (const entry of this.entries) {
      if (entry.state === 'waiting' && entry.dueAt <= this.now) entry.state = 'out';
    }
  }

  get live(): number[] {
    return this.revoked
      ? []
      : this.entries.filter(({ state }) => state === 'out').map(({ offset }) => offset);
  }

  /** The offset behind the last message of the acked prefix. */
  get prefix(): number {
    const first = this.entries.findIndex(({ state }) => state !== 'acked');
    const acked = first < 0 ? this.entries : this.entries.slice(0, first);
    return (acked.at(-1)?.offset ?? -1) + 1;
  }

  get spread(): number {
    if (this.revoked) return 0;
    const first = this.entries.findIndex(({ state }) => state !== 'acked');
    return first < 0 ? 0 : this.entries.length - first;
  }

  /** Of the spread what was dropped by this operator. */
  dropped(by: string): number {
    const behind = this.entries.slice(this.entries.length - this.spread);
    return behind.filter(({ droppedBy }) => droppedBy === by).length;
  }

  #out(offset: number): Entry | undefined {
    return this.revoked
      ? undefined
      : this.entries.find(entry => entry.offset === offset && entry.state === 'out');
  }

  /** The unacked messages of a key; one without a key stands alone. */
  #open(key: string | null): Entry[] {
    return key === null ? [] : this.entries.filter(entry => entry.key === key && entry.state !== 'acked');
  }
}

const waiting = { state: 'waiting', parked: true, dueAt: Number.POSITIVE_INFINITY } as const;

type Step = fc.Command<TrackerModel, Bench>;

/** What the test does to both, and what must agree afterwards. */
function step(
  name: string,
  check: (model: TrackerModel) => boolean,
  run: (model: TrackerModel, bench: Bench) => void,
): Step {
  return {
    check,
    run: (model, bench) => {
      run(model, bench);
      agree(model, bench);
    },
    toString: () => name,
  };
}

function agree(model: TrackerModel, bench: Bench): void {
  const { tracker } = bench;
  const { spread, inFlight } = tracker;
  const dropped = droppers.map(name => tracker.dropped(new Set([name])));
  const seen = { live: [...bench.live].sort(byNumber), spread, inFlight, dropped };
  const expected = droppers.map(name => model.dropped(name));
  const wanted = { live: model.live, spread: model.spread, inFlight: model.live.length, dropped: expected };
  const same = JSON.stringify(seen) === JSON.stringify(wanted) || model.revoked;
  if (!same) throw new Error(`the tracker says ${JSON.stringify(seen)}, the model ${JSON.stringify(wanted)}`);
  if (!model.revoked && tracker.prefix !== model.prefix) {
    throw new Error(`the tracker's prefix is ${tracker.prefix}, the model's ${model.prefix}`);
  }
  if (tracker.inFlightBytes !== tracker.inFlight * 2) throw new Error('bytes in flight do not match');
}

const droppers = ['first', 'second'];
const byNumber = (a: number, b: number): number => a - b;
const always = (): boolean => true;

/** Settles one of the held deliveries, whether it was taken back or not. */
function settleStep(which: number, nackDelayMs: number | undefined): Step {
  return step(
    nackDelayMs === undefined ? `ack ${which}` : `nack ${which} for ${nackDelayMs}`,
    always,
    (model, bench) => {
      const at = bench.held.length === 0 ? 0 : which % bench.held.length;
      const delivery = bench.held[at];
      if (!delivery) return;
      const { offset } = delivery.message;
      if (!delivery.duty.revoked) {
        if (nackDelayMs === undefined) model.ack(offset);
        else model.nack(offset, nackDelayMs);
      }
      bench.settle(at, nackDelayMs);
    },
  );
}

/** As an operator does that lets one of the held deliveries go. */
function dropStep(which: number, by: string): Step {
  return step(`drop ${which} by ${by}`, always, (model, bench) => {
    const at = bench.held.length === 0 ? 0 : which % bench.held.length;
    const delivery = bench.held[at];
    if (!delivery) return;
    if (!delivery.duty.revoked) model.ack(delivery.message.offset, by);
    bench.drop(at, by);
  });
}

/** Random steps: take, ack, drop, nack, let time pass, redeliver, and now and then revoke. */
export const trackerSteps: fc.Arbitrary<Iterable<Step>> = fc.commands(
  [
    fc.tuple(fc.constantFrom('a', 'a', 'b', null), fc.constantFrom(0, 0, 0, 2)).map(([key, gap]) =>
      step(
        `take ${key}+${gap}`,
        model => !model.revoked,
        (model, bench) => {
          model.take(key, gap);
          bench.take(key, gap);
        },
      ),
    ),
    fc.constantFrom(2, 2, 3, 70).map(count =>
      step(
        `take ${count} of a`,
        model => !model.revoked,
        (model, bench) => {
          for (let i = 0; i < count; i++) {
            model.take('a', 0);
            bench.take('a', 0);
          }
        },
      ),
    ),
    fc.nat(9).map(which => settleStep(which, undefined)),
    fc.tuple(fc.nat(9), fc.constantFrom(...droppers)).map(([which, by]) => dropStep(which, by)),
    fc.tuple(fc.nat(9), fc.constantFrom(0, 5, 20)).map(([which, delay]) => settleStep(which, delay)),
    fc.constantFrom(0, 5, 30).map(ms =>
      step(`pass ${ms}`, always, (model, bench) => {
        model.now += ms;
        bench.pass(ms);
      }),
    ),
    fc.constant(
      step(
        'redeliver',
        model => !model.revoked,
        (model, bench) => {
          model.redeliver();
          bench.redeliver();
        },
      ),
    ),
    fc.nat(30).map(n =>
      step(
        'revoke',
        model => n === 0 && !model.revoked,
        (model, bench) => {
          model.revoked = true;
          bench.tracker.revoke();
          if (bench.live.length > 0) throw new Error('a revoked tracker left deliveries alive');
        },
      ),
    ),
  ],
  { maxCommands: 80, size: 'max' },
);
