import type { SchedulerLike } from 'rxjs';
import { offset, partition } from '../../core/message.ts';
import { BusError } from '../../core/publisher.ts';
import type { BusCondition } from '../bus-condition.ts';
import type { DriverProducer } from './driver.ts';
import { type ProducerLease, ProducerPool } from './producer-pool.ts';
import type { Load, Sending } from './publish-lanes.ts';

/** What storing needs of its sender. */
export interface StoreHost {
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly openProducer: () => Promise<DriverProducer>;
  /** How long a message is tried to be stored, ms; 0 once there is no time left for anything. */
  readonly deliveryTimeoutMs: () => number;
  /** So many bytes no longer wait. */
  readonly freed: (bytes: number) => void;
}

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
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
        const error = await this.#try(loads, lease);
        if (error === undefined) return;
        if (!error.retryable || this.#isOverdue(loads)) {
          lease.retire();
          await this.#refused(loads, error);
          return;
        }
        await this.#pause(pauseMs);
      }
    } finally {
      lease.giveBack();
    }
  }

  /** Tells the senders of a load, and of all that waits behind it, that it was not stored. */
  refuse({ lane, sendings }: Load, error: BusError): void {
    const behind: Sending[] = [];
    for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) behind.push(next);
    for (const { bytes, done } of [...sendings, ...behind]) {
      this.#host.freed(bytes);
      done(error, undefined);
    }
  }

  close(): Promise<void> {
    return this.#producers.close();
  }

  async #try(loads: readonly Load[], lease: ProducerLease): Promise<BusError | undefined> {
    const { condition } = this.#host;
    try {
      const producer = await lease.producer();
      const offsets = await producer.send(
        loads.map(({ lane, sendings }) => ({
          topic: lane.topic,
          partition: lane.partition,
          records: sendings.map(({ record }) => record),
        })),
      );
      condition.worked('publishing');
      loads.forEach((load, i) => this.#stored(load, offsets[i] ?? -1));
      return undefined;
    } catch (cause) {
      const error = asBusError(cause);
      if (error.retryable) condition.failed('publishing', error);
      return error;
    }
  }

  /**
   * Of many, one that is refused for good is not named by every client: each goes alone, by a new producer, because
   * the old one no longer knows what the brokers have counted.
   */
  async #refused(loads: readonly Load[], error: BusError): Promise<void> {
    if (error.retryable) {
      for (const load of loads) this.refuse(load, this.#timedOut(load, error));
      return;
    }
    if (loads.length > 1) {
      for (const load of loads) await this.store([load]);
      return;
    }
    for (const { lane, sendings } of loads) {
      const apart = sendings.length > 1 && error.code === 'message-too-large';
      for (const sending of sendings) {
        if (apart) await this.store([{ lane, sendings: [sending] }]);
        else {
          this.#host.freed(sending.bytes);
          sending.done(error, undefined);
        }
      }
    }
  }

  #stored({ lane, sendings }: Load, first: number): void {
    const [oldest] = sendings;
    if (oldest) this.#host.condition.published(this.#host.scheduler.now() - oldest.sentAt);
    sendings.forEach(({ id, bytes, done }, i) => {
      this.#host.freed(bytes);
      const at = offset(first < 0 ? -1 : first + i);
      done(undefined, { topic: lane.topic, partition: partition(lane.partition), offset: at, id });
    });
  }

  #isOverdue(loads: readonly Load[]): boolean {
    const oldest = Math.min(...loads.map(({ sendings }) => sendings[0]?.sentAt ?? Number.POSITIVE_INFINITY));
    return this.#host.scheduler.now() - oldest >= this.#host.deliveryTimeoutMs();
  }

  #timedOut({ lane }: Load, cause: BusError): BusError {
    const waited = this.#host.deliveryTimeoutMs();
    return new BusError(
      'publish-timeout',
      `${lane.topic}[${lane.partition}]: not stored within ${waited} ms: ${cause.message}`,
      { cause },
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      this.#host.scheduler.schedule(() => resolve(), ms);
    });
  }
}

/** What is not known is taken for an outage that may pass. */
export function asBusError(error: unknown): BusError {
  return error instanceof BusError
    ? error
    : new BusError('unavailable', 'the cluster could not be asked: see the cause', { cause: error });
}
