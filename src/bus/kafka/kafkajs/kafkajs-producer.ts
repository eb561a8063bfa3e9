import type { CompressionTypes, Kafka, Producer } from 'kafkajs';
import type { DriverProducer, PartitionBatch, ProducerOptions } from '../driver.ts';
import { toNamed } from './header-order.ts';
import { busErrorOf } from './kafkajs-errors.ts';

/** Stores records through kafkajs's producer. */
export class KafkaJsProducer implements DriverProducer {
  readonly #producer: Producer;
  readonly #acks: number;
  readonly #compression: CompressionTypes;

  private constructor(producer: Producer, acks: number, compression: CompressionTypes) {
    this.#producer = producer;
    this.#acks = acks;
    this.#compression = compression;
  }

  static async open(
    kafka: Kafka,
    { acks, idempotent }: ProducerOptions,
    compression: CompressionTypes,
  ): Promise<KafkaJsProducer> {
    const producer = kafka.producer({
      idempotent,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    try {
      await producer.connect();
    } catch (error) {
      throw busErrorOf(error, 'connecting a producer');
    }
    return new KafkaJsProducer(producer, acks === 'all' ? -1 : acks, compression);
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly number[]> {
    const topicMessages = batches.map(({ topic, partition, records }) => ({
      topic,
      messages: records.map(({ key, value, headers }) => ({
        key: key === null ? null : bufferOf(key),
        value: value === null ? null : bufferOf(value),
        headers: toNamed(headers),
        partition,
      })),
    }));
    try {
      const stored = await this.#producer.sendBatch({
        topicMessages,
        acks: this.#acks,
        compression: this.#compression,
      });
      const offsets = new Map(
        stored.map(({ topicName, partition, baseOffset }) => [
          `${topicName}/${partition}`,
          Number(baseOffset ?? -1),
        ]),
      );
      return batches.map(({ topic, partition }) => offsets.get(`${topic}/${partition}`) ?? -1);
    } catch (error) {
      throw busErrorOf(error, `publishing to ${[...new Set(batches.map(({ topic }) => topic))].join(', ')}`);
    }
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
