import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { publishOne } from '../../../src/bus/publish-promises.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, startedBus, textOf } from './running-bus.ts';

describeKafka('a transaction that does not end', () => {
  // Kills: a reader that stands still before it, and nobody who says why.
  it.each(drivers)('is told of by health while it holds a reader up, with driver %s', async driver => {
    const writer = await startedBus({ brokers: kafkaBrokers(), driver });
    const reader = await startedBus({ brokers: kafkaBrokers(), driver, requestTimeoutMs: 500 });
    const topic = await newTopic(writer);
    const session = writer.transactions?.open(`open-${randomUUID()}`, { timeoutMs: 60_000 });
    if (session === undefined) throw new Error('no transactions');
    onTestFinished(() => session.close());
    const seen: unknown[] = [];
    const reading = await reader.subscribe(topic, ({ payload }) => void seen.push(textOf(payload)), {});
    onTestFinished(() => reading.unsubscribe());
    const problems = async (): Promise<string> => (await reader.health()).errors.join();

    await publishOne(session, { topic, key: 'k', payload: Buffer.from('undecided') });
    await writer.publish({ topic, key: 'k', payload: Buffer.from('behind it') });
    await expect
      .poll(problems, { timeout: 15_000 })
      .toMatch(
        `reading ${topic}[0]: for more than 1 s it has been undecided whether what was written from offset 0`,
      );
    expect(seen).toEqual([]);

    await session.commit();
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['undecided', 'behind it']);
    await expect.poll(problems, { timeout: 10_000 }).toBe('');
  });
});
