import { expect, it, onTestFinished } from 'vitest';
import { decode, mapValues } from '../../../operators/index.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import { pipeline, rawCodec, run, topic } from '../../../src/index.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';
import { newTopic, readAll, startedBus } from './running-bus.ts';

const mebibyte = 1024 ** 2;

describeKafka('a message as large as its topic takes', () => {
  it.each(drivers)('becomes a dead letter in a topic that takes as much, on %s', async driver => {
    const bus = await startedBus({ brokers: kafkaBrokers(), driver });
    const [from, letters] = [await newTopic(bus), await newTopic(bus)];
    // What a topic of payloads of 1 MiB has room for beside them is 64 KiB.
    const own = 'h'.repeat(60_000);
    const failing = pipeline(`fail-${from}`, ({ source, onFailure }) =>
      source({ name: from }).pipe(
        decode(topic(from, rawCodec)),
        mapValues((): never => {
          throw new Error('no '.repeat(10_000));
        }),
        onFailure({ topic: letters, alsoAs: ['spring-kafka', 'kafka-connect'] }),
      ),
    );
    const runtime = await run([failing], bus);
    onTestFinished(() => runtime.stop());
    const payload = Buffer.alloc(mebibyte, 7);
    await bus.publish({ topic: from, key: 'k', payload, headers: MessageHeaders.of({ own }) });
    await expect
      .poll(async () => (await runtime.status())[0], { timeout: 30_000 })
      .toMatchObject({ deadLettered: 1, problem: undefined });
    const [letter] = await readAll(bus, letters);
    expect(letter?.payload?.length).toBe(mebibyte);
    expect(letter?.headers.get('own')).toBe(own);
    expect(letter?.headers.get('x-dlq-reason')).toMatch(/^(no )+.*characters more\)$/);
    expect(letter?.headers.has('kafka_dlt-exception-message')).toBe(false);
  });
});
