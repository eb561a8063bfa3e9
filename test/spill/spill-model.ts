import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { OutgoingMessage } from '../../src/core/message.ts';
import type { BusErrorCode, Published, Publisher } from '../../src/core/publisher.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import type { SpillingPublisher } from '../../src/spill/spilling-publisher.ts';
import { Broker, Clock, closeNow, textOf } from './temporary-spill.ts';

/** What must hold, in plain numbers: what was accepted, and what was told to be refused. */
export class SpillModel {
  next = 0;
  readonly accepted = new Set<number>();
}

/** Time of the day that can be set. */
class JumpingClock extends Clock {
  #jump = 0;

  jump(ms: number): void {
    this.#jump += ms;
  }

  override readonly now: () => number = () => 1_700_000_000_000 + this.frame + this.#jump;
}

/** A broker as a process sees it: once that is dead, nothing that it sends arrives. */
class Connection implements Publisher {
  isCut = false;
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  send(message: OutgoingMessage, done: Published): void {
    if (!this.isCut)
      this.#broker.send(message, (error, receipt) => {
        if (!this.isCut) done(error, receipt);
      });
  }

  partitionsOf(): number {
    return 1;
  }
}

/** The publisher under test, and the processes in which it lived. */
export class SpillBench {
  readonly broker = new Broker();
  readonly clock = new JumpingClock();
  readonly #folders: string[] = [];
  readonly #dead: SpillingPublisher[] = [];
  readonly #model: SpillModel;
  #connection = new Connection(this.broker);
  #publisher: SpillingPublisher | undefined;

  constructor(model: SpillModel) {
    this.#model = model;
  }

  async open(from?: string): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), 'spill-model-'));
    this.#folders.push(dir);
    if (from !== undefined) {
      cpSync(from, dir, { recursive: true });
      rmSync(join(dir, 'owner.lock'), { force: true });
    }
    this.#connection = new Connection(this.broker);
    this.#publisher = await createSpillingPublisher(this.#connection, {
      dir,
      memoryMessages: 6,
      spillAfterMs: 50,
      maxBytes: 6000,
      maxInFlight: 3,
      fsync: 'never',
      backoff: { firstDelayMs: 10, maxDelayMs: 40, jitter: 'none' },
      scheduler: this.clock,
    });
  }

  send(number: number): void {
    const connection = this.#connection;
    const message = { topic: 't', key: `k${number % 3}`, payload: Buffer.from(`${number}`) };
    this.#publisher?.send(message, error => {
      if (error === undefined && !connection.isCut) this.#model.accepted.add(number);
    });
  }

  async runFor(ms: number): Promise<void> {
    await Promise.resolve();
    this.clock.runFor(ms);
    await Promise.resolve();
  }

  /** The process ends where it stands; the next one finds its folder. */
  async crash(): Promise<void> {
    this.#connection.isCut = true;
    this.broker.answerAll();
    if (this.#publisher !== undefined) this.#dead.push(this.#publisher);
    await this.open(this.#folders.at(-1));
  }

  /** With the broker back for good, what was accepted arrives or is set aside. */
  async check(): Promise<void> {
    this.broker.isSlow = false;
    this.broker.comeBack();
    this.broker.answerAll();
    for (let turn = 0; turn < 20; turn++) {
      await this.runFor(500);
      this.broker.answerAll();
    }
    const setAside = [...(this.#publisher?.refused() ?? [])].map(({ message }) => message);
    const numbers = [...new Set(this.broker.texts.map(Number))];
    const arrived = new Set([...numbers, ...setAside.map(message => message && Number(textOf(message)))]);
    expect([...this.#model.accepted].filter(number => !arrived.has(number))).toEqual([]);
    for (const key of [0, 1, 2]) {
      const mine = numbers.filter(number => number % 3 === key);
      expect(mine).toEqual([...mine].sort((a, b) => a - b));
    }
    expect(this.#publisher?.status()).toMatchObject({ isSpilling: false, buffered: 0 });
  }

  async close(): Promise<void> {
    this.#connection.isCut = true;
    for (const publisher of [...this.#dead, this.#publisher])
      if (publisher !== undefined) await closeNow(publisher, this.clock);
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

type Step = fc.AsyncCommand<SpillModel, SpillBench>;

const step = (name: string, run: (model: SpillModel, bench: SpillBench) => unknown): Step => ({
  check: () => true,
  run: async (model, bench) => {
    await run(model, bench);
  },
  toString: () => name,
});

const refusals: readonly BusErrorCode[] = ['publish-timeout', 'buffer-full', 'storage', 'bus-not-started'];

/** What may happen to a publisher. */
export const spillSteps: fc.Arbitrary<Iterable<Step>> = fc.commands(
  [
    fc.integer({ min: 1, max: 40 }).map(count =>
      step(`publish ${count}`, async (model, bench) => {
        for (let i = 0; i < count; i++) bench.send(model.next++);
        await bench.runFor(0);
      }),
    ),
    fc.constantFrom(...refusals).map(code => step(`away ${code}`, (_, bench) => bench.broker.goAway(code))),
    fc.constant(step('back', (_, bench) => bench.broker.comeBack())),
    fc.integer({ min: 2, max: 6 }).map(nth =>
      step(`away for one in ${nth}`, (_, { broker }) => {
        let turn = 0;
        broker.answer = () => (++turn % nth === 0 ? 'publish-timeout' : 'stored');
      }),
    ),
    fc.integer({ min: 2, max: 6 }).map(nth =>
      step(`never takes one in ${nth}`, (_, { broker }) => {
        broker.answer = message => (Number(textOf(message)) % nth === 0 ? 'message-too-large' : 'stored');
      }),
    ),
    fc.boolean().map(isSlow => step(isSlow ? 'slow' : 'fast', (_, { broker }) => (broker.isSlow = isSlow))),
    fc.constant(step('answers', (_, bench) => bench.broker.answerAll())),
    fc.integer({ min: 1, max: 300 }).map(ms => step(`wait ${ms}`, (_, bench) => bench.runFor(ms))),
    fc.integer({ min: -1e7, max: 1e7 }).map(ms => step(`jump ${ms}`, (_, { clock }) => clock.jump(ms))),
    fc.constant(step('crash', (_, bench) => bench.crash())),
  ],
  { maxCommands: 40, size: 'max' },
);
