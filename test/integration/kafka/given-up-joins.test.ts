import { createRequire } from 'node:module';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { copying } from './copying.ts';
import { describeKafka, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus, textOf } from './running-bus.ts';

type Request = 'heartbeat' | 'joinGroup' | 'syncGroup';

const require = createRequire(import.meta.url);
const { prototype } = require('kafkajs/src/broker') as {
  readonly prototype: Record<Request, (...args: unknown[]) => Promise<unknown>>;
};
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  readonly createErrorFromCode: (code: number) => Error;
};

const coordinatorLoads = 14;
const notCoordinator = 16;

describeKafka('a member of a group whose coordinator moves', () => {
  /** With which code the next request of a kind is refused, as a broker would that is not the coordinator any more. */
  const refusals = new Map<Request, number>();

  beforeEach(() => {
    for (const request of ['heartbeat', 'joinGroup', 'syncGroup'] as const) {
      const ask = prototype[request];
      vi.spyOn(prototype, request).mockImplementation(function (this: unknown, ...args) {
        const code = refusals.get(request);
        refusals.delete(request);
        return code === undefined ? ask.apply(this, args) : Promise.reject(createErrorFromCode(code));
      });
    }
  });
  afterEach(() => vi.restoreAllMocks());

  // Kills: a rebalance that kafkajs begins and forgets, after which nothing is read although heartbeats are answered;
  // partitions held on to in a generation in which they may be somebody else's.
  it.for([
    ['at-least-once', 'joinGroup'],
    ['exactly-once', 'joinGroup'],
    ['at-least-once', 'syncGroup'],
    ['exactly-once', 'syncGroup'],
  ] as const)('goes on reading, %s, where the new one is not ready for %s', async ([guarantee, request]) => {
    const consuming = { heartbeatIntervalMs: 200 };
    const bus = await startedBus({ brokers: kafkaBrokers(), driver: 'kafkajs', consuming });
    const [from, to] = [await newTopic(bus), await newTopic(bus)];
    const say = (text: string): Promise<unknown> =>
      bus.publish({ topic: from, key: 'k', payload: Buffer.from(text) });
    const copied = async (): Promise<unknown> =>
      (await readAll(bus, to)).map(({ payload }) => textOf(payload));
    await copying(bus, from, to, { guarantee });
    await say('before');
    await expect.poll(copied, { timeout: 20_000 }).toEqual(['before']);

    refusals.set(request, coordinatorLoads).set('heartbeat', notCoordinator);
    await expect.poll(() => refusals.size, { timeout: 10_000 }).toBe(0);
    await say('after');
    await expect.poll(copied, { timeout: 20_000 }).toEqual(['before', 'after']);
  });
});
