import { type SchedulerLike, Subscription } from 'rxjs';
import { inTime } from '../../../core/in-time.ts';
import { BusError } from '../../../core/publisher.ts';
import { steadyNow } from '../../../core/steady-clock.ts';
import type { BusCondition } from '../../bus-condition.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { partitionName, placeName } from '../../partition-name.ts';
import { askAboutTopics } from '../ask-again.ts';
import type { DriverReader, KafkaDriver } from '../driver.ts';
import type { ConsumingOptions } from '../kafka-options.ts';
import { type FetchHost, FetchLoops } from './fetch-loops.ts';

/** What reading needs of its bus. */
export interface ReadingHost {
  readonly driver: Pick<KafkaDriver, 'openReader' | 'endDecided'>;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly consuming: Required<ConsumingOptions>;
  /** How long a partition with room for more may go without an answer, ms. */
  readonly stallMs: number;
}

/**
 * Reads partitions, and begins anew, with new connections, where one with room for more has had no answer for too
 * long: clients have been seen to wait for ever. What a transaction holds up that does not end is said, once it cannot be
 * ended here.
 */
export class PartitionReading {
  readonly #host: ReadingHost;
  readonly #topics: readonly string[];
  readonly #fetching: FetchHost;
  readonly #checks = new Subscription();
  /** What was said to be held up by a transaction. */
  readonly #heldUp = new Set<string>();
  /** Why a transaction could not be ended, by partition. */
  readonly #refusals = new Map<string, string>();
  #isEnding = false;
  #reader: DriverReader | undefined;
  #loops: FetchLoops | undefined;
  /** Counts the beginnings; one that comes to its end when another has been made is of no more use. */
  #begun = 0;
  #closed = false;

  constructor(host: ReadingHost, topics: readonly string[], fetching: FetchHost) {
    this.#host = host;
    this.#topics = topics;
    this.#fetching = fetching;
  }

  async open(): Promise<void> {
    await this.#begin();
    this.#checkLater();
  }

  look(): void {
    this.#loops?.look();
  }

  delivered(): void {
    this.#loops?.delivered();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#checks.unsubscribe();
    for (const work of this.#heldUp) this.#host.condition.worked(work);
    await this.#loops?.close();
    await this.#reader?.close();
  }

  async #begin(): Promise<void> {
    const number = ++this.#begun;
    const reader = await this.#host.driver.openReader();
    try {
      await askAboutTopics(() => reader.refresh(this.#topics));
    } catch (error) {
      void reader.close();
      throw error;
    }
    if (this.#closed || number !== this.#begun) {
      void reader.close();
      return;
    }
    this.#reader = reader;
    this.#loops = new FetchLoops(reader, this.#fetching, this.#host.consuming);
    this.#loops.look();
  }

  /** Looks several times within the limit, so that what stalls is noticed soon after it. */
  #checkLater(): void {
    if (this.#closed) return;
    this.#checks.add(
      this.#host.scheduler.schedule(() => {
        void this.#check().then(() => this.#checkLater());
      }, this.#host.stallMs / 4),
    );
  }

  /** Nothing can be begun anew that would help. What brokers should have ended is ended, and the rest is said. */
  #seeToUndecided(now: number): void {
    const { stallMs, condition } = this.#host;
    const { partitions } = this.#fetching;
    void this.#endDecided(partitions.filter(partition => partition.undecidedMs(now) >= stallMs / 2));
    const heldUp = partitions.filter(partition => partition.undecidedMs(now) >= stallMs);
    const works = new Map(
      heldUp.map(place => [
        `reading ${placeName(place)}`,
        undecided(place.position, stallMs, this.#refusals.get(placeName(place))),
      ]),
    );
    for (const work of this.#heldUp) if (!works.has(work)) condition.worked(work);
    this.#heldUp.clear();
    for (const [work, problem] of works) {
      this.#heldUp.add(work);
      condition.failed(work, problem);
    }
  }

  async #endDecided(places: readonly TopicPartition[]): Promise<void> {
    const { driver, condition } = this.#host;
    if (this.#isEnding) return;
    this.#isEnding = true;
    for (const { topic, partition } of places) {
      const name = partitionName(topic, partition);
      try {
        const ended = await driver.endDecided({ topic, partition });
        this.#refusals.delete(name);
        for (const isCommitted of ended) {
          const decision = isCommitted ? 'committed' : 'aborted';
          condition.noted(`${name}: brokers had left a transaction open that was ${decision}: ended it`);
        }
      } catch (error) {
        this.#refusals.set(name, error instanceof Error ? error.message : String(error));
      }
    }
    this.#isEnding = false;
  }

  async #check(): Promise<void> {
    const { scheduler, stallMs, condition } = this.#host;
    const now = steadyNow(scheduler);
    this.#seeToUndecided(now);
    const stalled = this.#loops?.hungry().filter(partition => partition.waitedMs(now) >= stallMs) ?? [];
    const [first] = stalled;
    if (first === undefined) return;
    const place = placeName(first);
    const [loops, reader] = [this.#loops, this.#reader];
    const late = (): never => {
      this.#begun++;
      throw new BusError('unavailable', `opening connections: not done within ${stallMs} ms`);
    };
    try {
      await inTime(this.#begin(), stallMs, scheduler, late);
    } catch (error) {
      // Its brokers are away, as is said already; the next check tries again.
      if (error instanceof BusError) this.#fetching.failing(error);
      return;
    }
    for (const partition of stalled) partition.answered();
    condition.counted('consumerRestarts', 1);
    condition.noted(`reading ${place}: begun anew after ${stallMs} ms without an answer`);
    // What is stuck in them may never end.
    void loops?.close();
    void reader?.close().catch(() => undefined);
  }
}

/** Said of a partition whose next message a transaction holds up. */
function undecided(offset: number, stallMs: number, refusal: string | undefined): string {
  const why = refusal === undefined ? '' : ` (${refusal})`;
  return `for more than ${stallMs / 1000} s it has been undecided whether what was written from offset ${offset} on counts${why}: let Kafka's kafka-transactions.sh find-hanging name the transaction that was left open, and abort it`;
}
