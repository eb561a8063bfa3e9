import { asyncScheduler } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  BusError,
  type BusErrorCode,
  type EventBus,
  type OutgoingMessage,
  type Publisher,
  backends,
  createEventBus,
  defaultTopicSettings,
  pipeline,
  run,
} from '../../src/index.ts';
import { BusCondition } from '../../src/bus/bus-condition.ts';
import { settled } from '../../src/bus/kafka/kafka-settings.ts';
import { KafkaTransaction } from '../../src/bus/kafka/transactions/kafka-transaction.ts';
import { withTransactions } from '../runtime/transactional-stub.ts';
import { temporaryFolder } from './embedded/temporary-bus.ts';

const message = (topic: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  topic,
  key: 'k',
  payload: Buffer.alloc(100),
  ...more,
});

async function started(bus: EventBus): Promise<EventBus> {
  await bus.start();
  onTestFinished(() => bus.stop());
  return bus;
}

/** In memory, with one topic `prices` of three partitions. */
async function memory(
  options: { maxPartitionBytes?: number; publishTimeoutMs?: number } = {},
): Promise<EventBus> {
  const bus = await started(createEventBus({ kind: 'stub', ...options }));
  await bus.createTopic({
    name: 'prices',
    settings: { ...defaultTopicSettings, partitions: 3, maxMessageBytes: 500 },
  });
  return bus;
}

/** A full partition that a group holds full. */
async function full(publishTimeoutMs: number): Promise<EventBus> {
  const bus = await memory({ maxPartitionBytes: 300, publishTimeoutMs });
  const held = bus.source('prices', { group: 'slow', maxInFlight: 1 }).subscribe();
  onTestFinished(() => held.unsubscribe());
  for (let i = 0; i < 20; i++) bus.send(message('prices', { partition: 0, patient: true }), () => undefined);
  return bus;
}

/** Of more senders than may wait for room, the first that is refused. */
async function refusedForWantOfRoom(): Promise<void> {
  const bus = await full(60_000);
  await new Promise<void>((_, reject) => {
    for (let i = 0; i < 20_000; i++) {
      bus.send(message('prices', { partition: 0 }), error => {
        if (error) reject(error);
      });
    }
  });
}

/** What a chain that was replaced still sends. */
async function sentAfterItsEnd(): Promise<void> {
  const { bus } = withTransactions(await memory());
  let publisher: Publisher | undefined;
  const late = pipeline(
    'late',
    context => {
      publisher = context.publisher;
      return context.source({ name: 'prices' }).pipe(context.onFailure());
    },
    { guarantee: 'exactly-once' },
  );
  const runtime = await run([late], bus);
  runtime.stop();
  await new Promise<void>((resolve, reject) => {
    publisher?.send(message('prices'), error => (error ? reject(error) : resolve()));
  });
}

/** A transaction whose partitions went to other members before it was committed. */
async function committedTooLate(): Promise<void> {
  const topic = {
    name: 'out',
    partitions: 1,
    leaders: [1],
    limits: { maxMessageBytes: 1e6, maxBatchBytes: 1e6 },
  };
  const session = new KafkaTransaction(
    {
      driver: {
        openTransactions: () =>
          Promise.resolve({
            send: batches => Promise.resolve(batches.map(() => 0)),
            commit: () => Promise.resolve(),
            close: () => Promise.resolve(),
            left: [],
          }),
      },
      directory: { find: () => topic, open: () => Promise.resolve(topic), get: () => topic },
      condition: new BusCondition(),
      scheduler: asyncScheduler,
      publishing: settled({ brokers: ['b:1'] }).publishing,
      closed: () => undefined,
    },
    'momentum-1',
    { timeoutMs: 10_000 },
  );
  session.enter({
    isDirty: false,
    member: undefined,
    settled: () => [],
    due: () => [],
    committed: () => undefined,
  });
  session.send(message('out'), () => undefined);
  await session.commit();
}

/** A way to meet each code: the place and the value that its text names, and what it says to do. */
const cases: Record<
  BusErrorCode,
  readonly [() => Promise<unknown>, place: RegExp, value: RegExp, remedy: RegExp]
> = {
  'unsupported-backend': [
    // @ts-expect-error the types know the kinds; configuration and JavaScript do not
    () => Promise.resolve().then(() => backends.create({ kind: 'nats' })),
    /backend/,
    /"nats"/,
    /use one of stub, embedded, kafka, or add it to the registry/,
  ],
  'unsupported-capability': [
    async () =>
      run(
        [
          pipeline('sums', ({ source, onFailure }) => source({ name: 'prices' }).pipe(onFailure()), {
            guarantee: 'exactly-once',
          }),
        ],
        await memory(),
      ),
    /pipeline sums/,
    /transactions, which the stub backend lacks/,
    /choose another backend or driver, or change/,
  ],
  'topic-not-found': [
    async () => (await memory()).publish(message('price')),
    /topic price:/,
    /there are: prices/,
    /create it first/,
  ],
  'topic-exists': [
    async () => (await memory()).createTopic({ name: 'prices', settings: defaultTopicSettings }),
    /topic prices/,
    /exists already/,
    /use it, or delete it first/,
  ],
  'invalid-message': [
    async () => (await memory()).publish(message('prices', { partition: 7 })),
    /topic prices/,
    /partition 7/,
    /name one from 0 to 2, or none/,
  ],
  'message-too-large': [
    async () => (await memory()).publish(message('prices', { payload: Buffer.alloc(501) })),
    /^prices:/,
    /501 bytes, the limit is 500/,
    /make it smaller or raise maxMessageSize/,
  ],
  'publish-timeout': [
    async () => (await full(5)).publish(message('prices', { partition: 0 })),
    /^prices\[0\]/,
    /full \(\d+ bytes\) for 5 ms/,
    /consume faster, or raise maxPartitionBytes or publishTimeoutMs/,
  ],
  'buffer-full': [
    refusedForWantOfRoom,
    /^prices\[0\]/,
    /holds \d+ bytes and \d+ senders wait/,
    /consume faster, or raise maxPartitionBytes/,
  ],
  'consumer-closed': [sentAfterItsEnd, /^prices:/, /begun anew/, /send nothing, it comes again/],
  fenced: [committedTooLate, /transaction of momentum-1/, /gone to others/, /open a new one/],
  'bus-not-started': [
    () => createEventBus({ kind: 'stub' }).publish(message('prices')),
    /bus/,
    /not started/,
    /call start\(\) first/,
  ],
  'invalid-option': [
    async () =>
      (await memory()).createTopic({ name: 'bad', settings: { ...defaultTopicSettings, partitions: 0 } }),
    /topic bad: partitions/,
    /is 0/,
    /must be a whole number from 1/,
  ],
  storage: [
    async () => {
      const dir = temporaryFolder();
      await started(createEventBus({ kind: 'embedded', dir }));
      await createEventBus({ kind: 'embedded', dir }).start();
    },
    /embedded-bus-/,
    new RegExp(`${process.pid}`),
    /close that first/,
  ],
  unavailable: [
    () => createEventBus({ kind: 'kafka', brokers: ['127.0.0.1:1'], connectionTimeoutMs: 200 }).start(),
    /127\.0\.0\.1:1/,
    /ECONNREFUSED|no answer within/,
    /see whether the brokers run/,
  ],
  unauthorized: [
    () =>
      createEventBus({
        kind: 'kafka',
        brokers: ['127.0.0.1:1'],
        security: { sasl: { mechanism: 'plain', username: 'u', password: { env: 'NO_SUCH_SECRET' } } },
      }).start(),
    /password/,
    /NO_SUCH_SECRET is not set/,
    /set it to the secret/,
  ],
};

describe('every code of a BusError', () => {
  it.each(Object.entries(cases))(
    '%s says where, what, and what to do',
    async (code, [provoke, place, value, remedy]) => {
      const error = await provoke().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(BusError);
      expect(error).toMatchObject({ code });
      const { message: text } = error as BusError;
      for (const part of [place, value, remedy]) expect(text).toMatch(part);
    },
  );
});
