import { createRequire } from 'node:module';
import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';
import type { Broker, CompressionTypes, Message } from 'kafkajs';
import type { PartitionBatch } from '../driver.ts';
import { toNamed } from './header-order.ts';

const require = createRequire(import.meta.url);

/** A request of kafkajs's protocol and how its answer is read. */
interface Exchange {
  readonly request: unknown;
  readonly response: { readonly decode: (data: unknown) => Promise<unknown> };
}

/** What a broker of kafkajs has beside its published type. */
interface SendingBroker {
  lookupRequest(apiKey: number, requests: unknown): (payload: object) => Exchange;
  initProducerId(options: { readonly transactionTimeout: number }): Promise<unknown>;
  readonly connectionPool: { send(exchange: unknown): Promise<unknown> };
}

const produceApi = 0;

/** Under what name brokers count what a producer sends, so that nothing is stored twice. */
export interface ProducerId {
  readonly producerId: string;
  readonly producerEpoch: number;
}

const ProducerId: t.Type<ProducerId> = t.type({ producerId: t.string, producerEpoch: t.number });

const ProduceResponse = t.type({
  topics: t.array(
    t.type({
      topicName: t.string,
      partitions: t.array(t.type({ partition: t.number, errorCode: t.number, baseOffset: t.string })),
    }),
  ),
});

/** A batch and, for producers with an id, the number of its first record in its partition. */
export interface NumberedBatch extends PartitionBatch {
  readonly firstSequence: number;
}

export interface ProduceSettings {
  readonly acks: number;
  readonly timeout: number;
  readonly compression: CompressionTypes;
}

/** What a broker answered for one partition. */
export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** kafkajs's error where it was not stored. */
  readonly error: Error | undefined;
}

export async function askProducerId(broker: Broker, transactionTimeout: number): Promise<ProducerId> {
  const answer = await (broker as unknown as SendingBroker).initProducerId({ transactionTimeout });
  return decoded(ProducerId, answer);
}

/**
 * Sends batches to the broker that leads their partitions. kafkajs's own producer is not used: where one broker of
 * several fails it does not send what has moved to a broker that has answered already, and of an answer in which one
 * partition failed it tells nothing about the others.
 */
export async function produce(
  broker: Broker,
  batches: readonly NumberedBatch[],
  settings: ProduceSettings,
  id: ProducerId | undefined,
): Promise<readonly PartitionAnswer[]> {
  const { requests } = require('kafkajs/src/protocol/requests') as { requests: { Produce: unknown } };
  const sending = broker as unknown as SendingBroker;
  const exchange = sending.lookupRequest(
    produceApi,
    requests.Produce,
  )({ ...settings, ...id, topicData: dataOf(batches) });
  const answer = await sending.connectionPool.send({
    request: exchange.request,
    response: { decode: exchange.response.decode, parse: (data: unknown) => Promise.resolve(data) },
  });
  // Nothing is answered where no acknowledgement was asked for.
  if (answer === undefined)
    return batches.map(({ topic, partition }) => ({ topic, partition, offset: -1, error: undefined }));
  return decoded(ProduceResponse, answer).topics.flatMap(({ topicName: topic, partitions }) =>
    partitions.map(({ partition, errorCode, baseOffset }) => ({
      topic,
      partition,
      offset: Number(baseOffset),
      error: errorCode === 0 ? undefined : errorOf(errorCode),
    })),
  );
}

function dataOf(batches: readonly NumberedBatch[]): readonly object[] {
  return [...Map.groupBy(batches, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, firstSequence, records }) => ({
      partition,
      firstSequence,
      messages: records.map(messageOf),
    })),
  }));
}

function messageOf({ key, value, headers }: PartitionBatch['records'][number]): Message {
  return {
    key: key === null ? null : bufferOf(key),
    value: value === null ? null : bufferOf(value),
    headers: toNamed(headers),
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function errorOf(code: number): Error {
  const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
    createErrorFromCode: (code: number) => Error;
  };
  return createErrorFromCode(code);
}

function decoded<A>(codec: t.Type<A, unknown>, answer: unknown): A {
  const result = codec.decode(answer);
  if (isLeft(result)) {
    throw new TypeError(`kafkajs answered something unexpected: ${PathReporter.report(result).join('; ')}`);
  }
  return result.right;
}
