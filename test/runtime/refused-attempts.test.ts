import { VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { type OutgoingMessage, offset } from '../../src/core/message.ts';
import { BusError, type Published } from '../../src/core/publisher.ts';
import { StateUnits } from '../../src/runtime/state-units.ts';
import { StoredAttempts } from '../../src/runtime/stored-attempts.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { passTime } from '../passing-time.ts';
import { withOwn } from '../with-own.ts';
import { topics } from './words.ts';

/** A ledger on a bus that refuses when the test says so. */
class Refusing {
  readonly sent: OutgoingMessage[] = [];
  readonly attempts: StoredAttempts;
  readonly #time = new VirtualTimeScheduler();
  readonly #answers: Published[] = [];

  constructor(bus: EventBus) {
    const send = (message: OutgoingMessage, done: Published): void => {
      this.sent.push(message);
      this.#answers.push(done);
    };
    this.attempts = new StoredAttempts(
      withOwn(bus, { send }),
      'try',
      new StateUnits('many'),
      this.#time,
      () => ({}),
    );
    const record = { count: 1, firstAt: 0, lastAt: 0, dueAt: 100 };
    this.attempts.of('retry').set({ topic: 'words', partition: 0, offset: offset(3) }, record);
  }

  static async begin(): Promise<Refusing> {
    const { bus } = await PipelineDriver.start({ topics, pipelines: () => [] });
    const refusing = new Refusing(bus);
    await passTime(refusing.#time, 50, 50);
    return refusing;
  }

  async refuse(): Promise<void> {
    this.#answers.shift()?.(new BusError('unavailable', 'not now'), undefined);
    await passTime(this.#time, 5_000, 5_000);
  }
}

it('attempts that are refused are written again', async () => {
  const refusing = await Refusing.begin();
  await refusing.refuse();
  expect(refusing.sent.map(({ payload }) => payload === null)).toEqual([false, false]);
});

// Kills: a record of nothing, written over what whoever has the partition by now has counted.
it.each([
  [
    'of a partition that has gone',
    (attempts: StoredAttempts) => attempts.revoked([{ topic: 'words', partition: 0 }]),
  ],
  ['of a run that has ended', (attempts: StoredAttempts) => attempts.stop()],
])('attempts %s are left alone where they are refused', async (_, end) => {
  const refusing = await Refusing.begin();
  end(refusing.attempts);
  await refusing.refuse();
  expect(refusing.sent).toHaveLength(1);
});
