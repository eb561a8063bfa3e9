import type { TopicPartition } from '../../event-bus.ts';
import { type DriverReader, type FetchWish, type FetchedPartition, OffsetOutOfRange } from '../driver.ts';
import { fetchedOf } from '../records/partition-content.ts';
import type { Brokers } from './brokers.ts';
import { type FetchAnswer, fetch } from './fetch-request.ts';
import { busErrorOf, typeOf } from './platformatic-errors.ts';
import { Leaders } from './topic-metadata.ts';

/** Reads partitions without a group, through connections of its own. */
export class PlatformaticReader implements DriverReader {
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;

  private constructor(brokers: Brokers) {
    this.#brokers = brokers;
    this.#leaders = new Leaders(brokers);
  }

  static async open(brokers: Brokers): Promise<PlatformaticReader> {
    try {
      await brokers.metadata([]);
    } catch (error) {
      await brokers.close();
      throw busErrorOf(error, 'connecting a reader');
    }
    return new PlatformaticReader(brokers);
  }

  async refresh(topics: readonly string[]): Promise<void> {
    const all = topics.join(', ');
    try {
      const problems = await this.#leaders.learn(topics);
      for (const [topic, error] of problems)
        throw busErrorOf(error, `asking who leads ${topic}`, `Read on topic ${topic}`);
    } catch (error) {
      throw busErrorOf(error, `asking who leads ${all}`, `Read on topic ${all}`);
    }
  }

  leaderOf(partition: TopicPartition): number | undefined {
    return this.#leaders.leaderOf(partition);
  }

  async fetch(
    node: number,
    wishes: readonly FetchWish[],
    maxWaitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    try {
      const connection = await this.#brokers.connectionTo(node);
      const answers = await fetch(this.#brokers.client, connection, wishes, maxWaitMs);
      for (const answer of answers) requireAnswered(answer);
      return await Promise.all(answers.map(answer => fetchedOf(answer, wishes)));
    } catch (error) {
      if (error instanceof OffsetOutOfRange) throw error;
      const topics = [...new Set(wishes.map(({ topic }) => topic))].join(', ');
      throw busErrorOf(error, `reading ${topics}`, `Read on topic ${topics}`);
    }
  }

  close(): Promise<void> {
    return this.#brokers.close();
  }
}

/** @throws OffsetOutOfRange, or BusError */
function requireAnswered({ topic, partition, error }: FetchAnswer): void {
  if (error === undefined) return;
  if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') throw new OffsetOutOfRange({ topic, partition });
  throw busErrorOf(error, `reading ${topic}[${partition}]`, `Read on topic ${topic}`);
}
