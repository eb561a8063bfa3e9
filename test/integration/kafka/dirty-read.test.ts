import { randomUUID } from 'node:crypto';
import { noop } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import { LiveReader } from '../../chaos/live-reader.ts';
import { readUncommitted } from '../../chaos/reads-uncommitted.ts';
import { describeKafka, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, startedBus } from './running-bus.ts';

const patiently = { timeout: 10_000 };

describeKafka('the reader that watches while chaos is made', () => {
  // Kills: a checker for which every gap in the offsets is a loss, or which finds nothing among the gaps of real brokers.
  it.for([
    { reads: 'as it should', plant: () => noop, early: 1, vanished: 0 },
    { reads: 'what is not committed too', plant: readUncommitted, early: 3, vanished: 2 },
  ])('tells that $vanished messages are gone where it reads $reads', async ({ plant, early, vanished }) => {
    const bus = await startedBus({ brokers: kafkaBrokers(), driver: 'kafkajs' });
    const topic = await newTopic(bus);
    const session = bus.transactions?.open(`dirty-${randomUUID()}`) ?? expect.fail('no transactions');
    onTestFinished(() => session.close());
    const message = (text: string) => ({ topic, key: 'k', payload: Buffer.from(text) });
    await bus.publish(message('plain'));
    const heal = plant();
    onTestFinished(heal);
    const live = new LiveReader(bus, [topic]);
    for (const text of ['given up', 'this too']) await publishOne(session, message(text));
    await expect.poll(() => live.seen, patiently).toBe(early);
    await session.abort();
    for (const text of ['given up', 'this too']) await publishOne(session, message(text));
    await session.commit();
    await expect.poll(() => live.seen, patiently).toBe(early + 2);
    // Who judges in the end reads as one should.
    heal();
    expect(await live.vanished()).toBe(vanished);
  });
});
