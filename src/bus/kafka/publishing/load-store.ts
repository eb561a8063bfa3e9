import type { SchedulerLike } from 'rxjs';
import { reasonOf } from '../../../core/failure.ts';
import { inTime } from '../../../core/in-time.ts';
import { offset, partition } from '../../../core/message.ts';
import { BusError } from '../../../core/publisher.ts';
import { steadyNow } from '../../../core/steady-clock.ts';
import type { BusCondition } from '../../bus-condition.ts';
import type { StoreOutcome } from '../driver.ts';
import type { TopicDirectory } from '../cluster/topic-directory.ts';
import { type OpenProducer, type ProducerLease, ProducerPool } from './producer-pool.ts';
import type { Load } from './publish-lanes.ts';

/** What storing needs of its sender. */
export interface StoreHost {
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly openProducer: OpenProducer;
  readonly directory: Pick<TopicDirectory, 'open'>;
  /** How long a message is tried to be stored, ms; 0 once there is no time left for anything. */
  readonly deliveryTimeoutMs: () => number;
  /** So many bytes no longer wait. */
  readonly freed: (bytes: number) => void;
}

const publishing = 'publishing';
const firstPauseMs = 50;
const maxPauseMs = 1000;

/**
 * Has batches stored and their senders told. A batch that could not be stored is sent again as it is until its time
 * is up; then it is refused, together with all that waits behind it in its partition.
 */
export class LoadStore {
  readonly #host: StoreHost;
  readonly #producers: ProducerPool;

  constructor(host: StoreHost) {
    this.#host = host;
    this.#producers = new ProducerPool(host.openProducer);
  }

  /** By one producer from the first try to the last: it alone knows what the brokers may have stored already. */
  async store(loads: readonly Load[]): Promise<void> {
    const lease = this.#producers.take();
    try {
      let open = loads;
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
        open = await this.#told(await this.#try(open, lease), lease, open !== loads);
        if (open.length === 0) return;
        await this.#pause(pauseMs);
      }
    } finally {
      lease.giveBack();
    }
  }

  /** Tells the senders of a load, and of all that waits behind it, that it was not stored. */
  refuse({ lane, sendings, behind = [] }: Load, error: BusError): void {
    const refused = [...sendings, ...behind.splice(0)];
    for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) refused.push(next);
    lane.bytes = 0;
    for (const { bytes, done } of refused) {
      this.#host.freed(bytes);
      done(error, undefined);
    }
  }

  close(): Promise<void> {
    return this.#producers.close();
  }

  /** What became of each; once the time of the oldest is up, that it did. */
  async #try(
    loads: readonly Load[],
    lease: ProducerLease,
  ): Promise<readonly (readonly [Load, StoreOutcome])[]> {
    const batches = loads.map(({ lane: { topic, partition }, sendings }) => ({
      topic,
      partition,
      records: sendings.map(({ record }) => record),
    }));
    try {
      const sent = lease.producer().then(producer => producer.send(batches));
      // Clients have time limits of their own, and try again: none of that may make a sender wait longer.
      const outcomes = await inTime(sent, this.#timeLeft(loads), this.#host.scheduler, unreached);
      return loads.map((load, i) => [load, outcomes[i] ?? unanswered(load)]);
    } catch (error) {
      return loads.map(load => [load, asBusError(error)]);
    }
  }

  /**
   * Tells the senders of what is stored, or is not to be; what is to be sent again.
   *
   * @param isAgain whether it has been sent before, and that may have been stored
   */
  async #told(
    outcomes: readonly (readonly [Load, StoreOutcome])[],
    lease: ProducerLease,
    isAgain: boolean,
  ): Promise<readonly Load[]> {
    const { condition } = this.#host;
    const again: Load[] = [];
    for (const [load, outcome] of outcomes) {
      if (typeof outcome === 'number') {
        condition.worked(publishing);
        this.#stored(load, outcome);
      } else if (!outcome.retryable && !(await this.#isUnheardOf(load, outcome))) {
        // What comes next would get the numbers of what the brokers may have, and be taken for it.
        if (isAgain) lease.retire();
        await this.#refused(load, outcome);
      } else {
        condition.failed(publishing, outcome);
        if (this.#timeLeft([load]) > 0) again.push(load);
        else {
          // Whether it is stored is not known, and so neither is what the brokers have counted.
          lease.retire();
          this.refuse(load, this.#timedOut(load, outcome));
        }
      }
    }
    return again;
  }

  /** Whether a topic that a broker does not know is there all the same: it was made only just now. */
  async #isUnheardOf({ lane }: Load, { code }: BusError): Promise<boolean> {
    if (code !== 'topic-not-found') return false;
    return this.#host.directory.open(lane.topic).then(
      () => true,
      (error: unknown) => asBusError(error).retryable,
    );
  }

  /** Of a batch that is too large every message may still be small enough. */
  async #refused({ lane, sendings }: Load, error: BusError): Promise<void> {
    if (error.code === 'message-too-large' && sendings.length > 1) {
      const behind = [...sendings];
      for (let sending = behind.shift(); sending !== undefined; sending = behind.shift())
        await this.store([{ lane, sendings: [sending], behind }]);
      return;
    }
    for (const { bytes, done } of sendings) {
      this.#host.freed(bytes);
      done(error, undefined);
    }
  }

  #stored({ lane, sendings }: Load, first: number): void {
    const [oldest] = sendings;
    if (oldest) this.#host.condition.published(steadyNow(this.#host.scheduler) - oldest.sentAt);
    sendings.forEach(({ id, bytes, done }, i) => {
      this.#host.freed(bytes);
      const at = offset(first < 0 ? -1 : first + i);
      done(undefined, { topic: lane.topic, partition: partition(lane.partition), offset: at, id });
    });
  }

  #timeLeft(loads: readonly Load[]): number {
    const oldest = Math.min(...loads.map(({ sendings }) => sendings[0]?.sentAt ?? Number.POSITIVE_INFINITY));
    return oldest + this.#host.deliveryTimeoutMs() - steadyNow(this.#host.scheduler);
  }

  #timedOut({ lane }: Load, cause: BusError): BusError {
    const waited = this.#host.deliveryTimeoutMs();
    return new BusError(
      'publish-timeout',
      `${lane.topic}[${lane.partition}]: not stored within ${waited} ms (${cause.message}): see whether its leader runs and can be reached, or raise publishing.deliveryTimeoutMs`,
      { cause },
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      this.#host.scheduler.schedule(() => resolve(), ms);
    });
  }
}

function unanswered({ lane }: Load): BusError {
  return new BusError(
    'unavailable',
    `${lane.topic}[${lane.partition}]: the broker told nothing of the batch: publish it again`,
  );
}

/** What is not known is taken for an outage that may pass. */
export function asBusError(error: unknown): BusError {
  return error instanceof BusError
    ? error
    : new BusError(
        'unavailable',
        `the cluster could not be asked (${reasonOf(error)}): see whether the brokers run and can be reached`,
        { cause: error },
      );
}

function unreached(): never {
  throw new BusError('unavailable', 'no broker has answered: see whether they run and can be reached');
}
