import type { EventBus } from '../../src/bus/event-bus.ts';
import type { Effort, Measured, Twin, Work } from './benchmark.ts';
import { paced } from './bus-load.ts';
import { batchAt, onBrokers, onBus, paceOf, payload, publishAll, sendAll, total } from './kafka-load.ts';
import { type RawClient, type RawProducer, gathering } from './raw-client.ts';
import { stopwatch } from './stopwatch.ts';

type RawWork = (
  brokers: readonly string[],
  topic: string,
  effort: Effort,
  bus: EventBus,
) => Promise<Measured>;

/** Our own driver makes the topic; nothing else of it is used but where it is said. */
const rawly =
  (work: RawWork): Work =>
  effort =>
    onBrokers(brokers => onBus('kafkajs', brokers, (bus, name) => work(brokers, name, effort, bus)));

const publish = ({ send }: RawProducer, topic: string, messages: number): Promise<void> =>
  sendAll(messages, first => send(batchAt(topic, first)));

/** Settles once so many were read. */
async function read(
  client: RawClient,
  brokers: readonly string[],
  topic: string,
  messages: number,
): Promise<void> {
  const done = Promise.withResolvers<undefined>();
  let seen = 0;
  const close = await client.consume(brokers, topic, () => {
    if (++seen === messages) done.resolve(undefined);
  });
  await done.promise;
  await close();
}

export const rawPublishes = (client: RawClient): Twin => ({
  name: client.name,
  work: rawly(async (brokers, topic, effort) => {
    const producer = await client.producer(brokers, topic);
    await publish(producer, topic, total(effort) / 10);
    const lap = stopwatch();
    await publish(producer, topic, total(effort));
    const measured = lap(total(effort));
    await producer.close();
    return measured;
  }),
});

export const rawConsumes = (client: RawClient): Twin => ({
  name: client.name,
  work: rawly(async (brokers, topic, effort, bus) => {
    await publishAll(bus, topic, total(effort));
    const lap = stopwatch();
    await read(client, brokers, topic, total(effort));
    return lap(total(effort));
  }),
});

export const rawPublishesAndConsumes = (client: RawClient): Twin => ({
  name: `${client.name}, not handled`,
  work: rawly(async (brokers, topic, effort) => {
    const producer = await client.producer(brokers, topic);
    const lap = stopwatch();
    await Promise.all([read(client, brokers, topic, total(effort)), publish(producer, topic, total(effort))]);
    const measured = lap(total(effort));
    await producer.close();
    return measured;
  }),
});

/** The time is in the payload: what a client has for one, brokers replace by that of their log. */
function payloadOf(due: number): Buffer {
  const dated = Buffer.from(payload);
  dated.writeDoubleBE(due);
  return dated;
}

/** What is due is sent together once the send before is answered. */
export const rawPaced = (client: RawClient, perSecond: number): Twin => ({
  name: client.name,
  work: rawly(async (brokers, topic, effort) => {
    let tell: (due: number) => void = () => undefined;
    const ready = Promise.withResolvers<undefined>();
    const producer = await client.producer(brokers, topic);
    const closing = client.consume(brokers, topic, (key, value) => {
      if (key === 'first') ready.resolve(undefined);
      else tell(value.readDoubleBE());
    });
    await producer.send(
      batchAt(topic, 0)
        .slice(0, 1)
        .map(each => ({ ...each, key: 'first' })),
    );
    const [close] = await Promise.all([closing, ready.promise]);
    const send = gathering(batch => producer.send(batch));
    try {
      return await paced(
        {
          send: (batch, due) => {
            const dated = payloadOf(due);
            send(batch.map(each => ({ ...each, topic, payload: dated })));
          },
          onMessage: seen => (tell = seen),
        },
        perSecond,
        effort,
        paceOf(perSecond),
      );
    } finally {
      await Promise.all([close(), producer.close()]);
    }
  }),
});
