import { Consumer, Producer } from '@platformatic/kafka';
import type { OutgoingMessage } from '../../src/core/message.ts';

type Send = (batch: readonly OutgoingMessage[]) => Promise<unknown>;

/** Work with a producer of @platformatic/kafka alone: idempotent, and connected before. */
export async function onPlatformatic<A>(
  brokers: readonly string[],
  topic: string,
  work: (send: Send) => Promise<A>,
): Promise<A> {
  const producer = new Producer({
    clientId: 'raw',
    bootstrapBrokers: [...brokers],
    idempotent: true,
    autocreateTopics: false,
  });
  try {
    await producer.metadata({ topics: [topic] });
    return await work(batch =>
      producer.send({
        acks: -1,
        messages: batch.map(({ key, payload }) => ({
          topic,
          key: Buffer.from(key ?? ''),
          value: Buffer.from(payload ?? ''),
        })),
      }),
    );
  } finally {
    await producer.close();
  }
}

/** Consumes so many messages as a group of one that commits once a second. */
export async function consumeOnPlatformatic(
  brokers: readonly string[],
  topic: string,
  messages: number,
): Promise<void> {
  const groupId = `raw-${topic}`;
  const consumer = new Consumer({ clientId: 'raw', groupId, bootstrapBrokers: [...brokers] });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: 1000 });
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', () => {
      if (++seen === messages) resolve();
    });
  });
  await consumer.close(true);
}
