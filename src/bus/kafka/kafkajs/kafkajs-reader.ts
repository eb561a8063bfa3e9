import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { PathReporter } from 'io-ts/lib/PathReporter.js';
import type { Cluster, Kafka } from 'kafkajs';
import type { TopicPartition } from '../../event-bus.ts';
import {
  type DriverReader,
  type FetchWish,
  type FetchedPartition,
  OffsetOutOfRange,
  type StoredRecord,
} from '../driver.ts';
import { clusterOf } from './client.ts';
import { toFlat } from './header-order.ts';
import { busErrorOf, forgetClosed, typeOf } from './kafkajs-errors.ts';
import { type FetchedRecord, withoutAborted } from './aborted-records.ts';

const readCommitted = 1;
const maxResponseBytes = 50 * 1024 * 1024;

/** What kafkajs makes of a broker's answer, but for the records: those come from its own decoder, and many. */
const FetchResponse = t.type({
  responses: t.array(
    t.type({
      topicName: t.string,
      partitions: t.array(
        t.intersection([
          t.type({ partition: t.number, highWatermark: t.string, messages: t.UnknownArray }),
          t.partial({
            lastStableOffset: t.string,
            abortedTransactions: t.union([
              t.array(t.type({ producerId: t.string, firstOffset: t.string })),
              t.null,
            ]),
          }),
        ]),
      ),
    }),
  ),
});

type FetchResponse = t.TypeOf<typeof FetchResponse>;
type PartitionResponse = FetchResponse['responses'][number]['partitions'][number];

/** Reads partitions without a group, through connections of its own. */
export class KafkaJsReader implements DriverReader {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async open(kafka: Kafka): Promise<KafkaJsReader> {
    const cluster = clusterOf(kafka);
    try {
      await cluster.connect();
    } catch (error) {
      throw busErrorOf(error, 'connecting a reader');
    }
    return new KafkaJsReader(cluster);
  }

  async refresh(topics: readonly string[]): Promise<void> {
    try {
      await this.#cluster.addMultipleTargetTopics([...topics]);
      await this.#cluster.refreshMetadata();
    } catch (error) {
      throw busErrorOf(error, `asking who leads ${topics.join(', ')}`, `Read on topic ${topics.join(', ')}`);
    }
  }

  leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const known = this.#cluster.findTopicPartitionMetadata(topic);
    const leader = known.find(({ partitionId }) => partitionId === partition)?.leader;
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  async fetch(
    node: number,
    wishes: readonly FetchWish[],
    maxWaitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    const byTopic = Map.groupBy(wishes, ({ topic }) => topic);
    try {
      const broker = await this.#cluster.findBroker({ nodeId: String(node) });
      const answer: unknown = await broker.fetch({
        isolationLevel: readCommitted,
        maxWaitTime: maxWaitMs,
        minBytes: 1,
        maxBytes: maxResponseBytes,
        topics: [...byTopic].map(([topic, places]) => ({
          topic,
          partitions: places.map(({ partition, offset, maxBytes }) => ({
            partition,
            fetchOffset: String(offset),
            maxBytes,
          })),
        })),
      });
      return responseOf(answer).flatMap(({ topicName: topic, partitions }) =>
        partitions.map(response => fetchedOf(topic, response, wishOf(wishes, topic, response.partition))),
      );
    } catch (error) {
      throw this.#errorOf(error, wishes);
    }
  }

  close(): Promise<void> {
    return this.#cluster.disconnect();
  }

  #errorOf(error: unknown, wishes: readonly FetchWish[]): unknown {
    forgetClosed(this.#cluster, error);
    if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') {
      const { topic, partition } = error as { topic?: string; partition?: number };
      if (topic !== undefined && partition !== undefined) return new OffsetOutOfRange({ topic, partition });
    }
    const topics = [...new Set(wishes.map(({ topic }) => topic))].join(', ');
    return busErrorOf(error, `reading ${topics}`, `Read on topic ${topics}`);
  }
}

function responseOf(answer: unknown): FetchResponse['responses'] {
  const response = FetchResponse.decode(answer);
  if (isLeft(response)) {
    throw new TypeError(`kafkajs fetched something unexpected: ${PathReporter.report(response).join('; ')}`);
  }
  return response.right.responses;
}

function wishOf(wishes: readonly FetchWish[], topic: string, partition: number): number {
  return wishes.find(wish => wish.partition === partition && wish.topic === topic)?.offset ?? 0;
}

function fetchedOf(topic: string, response: PartitionResponse, wished: number): FetchedPartition {
  const { partition, highWatermark, lastStableOffset = highWatermark, abortedTransactions } = response;
  // Made by kafkajs's decoder, whose types say so; checking each would cost more than reading it.
  const messages = response.messages as readonly FetchedRecord[];
  const last = messages.at(-1);
  const records = withoutAborted(messages, abortedTransactions ?? []).filter(
    ({ isControlRecord }) => !isControlRecord,
  );
  return {
    topic,
    partition,
    records: records.map(recordOf),
    nextOffset: last === undefined ? wished : Math.max(wished, endOf(last)),
    end: Number(lastStableOffset),
  };
}

/** Past the batch, whose last records may be gone. */
function endOf({ offset, batchContext }: FetchedRecord): number {
  const batchEnd =
    batchContext?.lastOffsetDelta === undefined
      ? 0
      : Number(batchContext.firstOffset) + batchContext.lastOffsetDelta + 1;
  return Math.max(Number(offset) + 1, batchEnd);
}

function recordOf({ offset, timestamp, key, value, headers }: FetchedRecord): StoredRecord {
  return {
    offset: Number(offset),
    timestamp: Number(timestamp),
    key: key ?? null,
    value: value ?? null,
    headers: toFlat(headers),
  };
}
