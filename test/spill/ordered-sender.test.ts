import { describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../../src/core/message.ts';
import type { Published } from '../../src/core/publisher.ts';
import { Broker, openedSpill, text, textOf } from './temporary-spill.ts';

/** Both ways to the broker: straight, and through the folder. */
const ways = [
  ['straight', 10_000],
  ['from the folder', 1],
] as const;

describe.for(ways)('messages that go %s', ([, memoryMessages]) => {
  it('of one key are on their way one at a time, those of others beside them', async () => {
    const { broker, send, runFor } = await openedSpill({ memoryMessages });
    broker.isSlow = true;
    for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) send(text(name, name.slice(0, 1)));
    for (const [seen, sending] of [
      [[], 2],
      [['a1', 'b1'], 2],
      [['a1', 'b1', 'a2', 'b2'], 1],
    ] as const) {
      await runFor(50);
      expect([broker.texts, broker.sending.length]).toEqual([seen, sending]);
      broker.answerAll();
    }
    await runFor(50);
    expect(broker.texts).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it('nothing behind a refused message of its key is sent before it is stored', async () => {
    const { broker, send, runFor } = await openedSpill({ memoryMessages });
    let refusals = 3;
    broker.answer = message => (textOf(message) === 'a2' && refusals-- > 0 ? 'publish-timeout' : 'stored');
    for (const name of ['a1', 'a2', 'b1', 'a3', 'b2', 'a4']) send(text(name, name.slice(0, 1)));
    await runFor(5000);
    const ofA = broker.texts.filter(name => name.startsWith('a'));
    expect(ofA).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(broker.texts).toHaveLength(6);
  });

  it('without a key keep the order of a partition that the sender names, and no other', async () => {
    const { broker, send, runFor } = await openedSpill({ memoryMessages });
    broker.isSlow = true;
    for (const name of ['x1', 'x2']) send({ ...text(name, null), partition: 3 });
    for (const name of ['free1', 'free2']) send(text(name, null));
    await runFor(50);
    broker.answerAll();
    await runFor(50);
    expect(broker.texts).toEqual(['x1', 'free1', 'free2']);
    broker.answerAll();
    expect(broker.texts).toEqual(['x1', 'free1', 'free2', 'x2']);
  });

  it('of one key in two topics do not wait for each other', async () => {
    const { broker, send, runFor } = await openedSpill({ memoryMessages });
    broker.isSlow = true;
    for (const topic of ['bids', 'asks']) send(text(topic, 'k', topic));
    await runFor(50);
    expect(broker.sending).toHaveLength(2);
  });

  it('are never more on their way than maxInFlight', async () => {
    const { broker, send, runFor } = await openedSpill({ memoryMessages, maxInFlight: 4 });
    broker.isSlow = true;
    for (let i = 0; i < 20; i++) send(text(`${i}`, `${i}`));
    for (const stored of [0, 4, 8, 12]) {
      await runFor(50);
      expect([broker.stored.length, broker.sending.length]).toEqual([stored, 4]);
      broker.answerAll();
    }
  });
});

class TwiceToldBroker extends Broker {
  override send(message: OutgoingMessage, done: Published): void {
    super.send(message, done);
    super.send(message, () => done(undefined, undefined));
  }
}

it('a second answer to one message counts for nothing', async () => {
  const broker = new TwiceToldBroker();
  const { publisher, send, runFor } = await openedSpill({ maxInFlight: 2 }, broker);
  for (let i = 0; i < 5; i++)
    await expect(publisher.publish(text('a'))).resolves.toMatchObject({ tag: 'stored' });
  broker.isSlow = true;
  for (let i = 0; i < 10; i++) send(text(`${i}`, `${i}`));
  await runFor(1);
  expect(broker.sending).toHaveLength(2 * 2);
});
