import type { SchedulerLike } from 'rxjs';
import { reasonOf } from '../../core/failure.ts';
import { MessageIds } from '../../core/message-ids.ts';
import type { OutgoingMessage } from '../../core/message.ts';
import { BusError, type Published, type Receipt } from '../../core/publisher.ts';
import type { PublishResult } from '../event-bus.ts';
import { partitionOf } from '../partitioner.ts';
import { publishOne } from '../publish-promises.ts';
import type { BusCondition } from '../bus-condition.ts';
import { DelayedSends } from './delayed-sends.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Fault, FaultInjector } from './faults.ts';
import { checkMessage } from '../message-check.ts';
import type { PartitionLog, Sending, Told } from './partition-log.ts';
import { type OpenTopic, type TopicCatalog, logOf } from './topic-catalog.ts';
import { steadyNow } from '../../core/steady-clock.ts';

/** What a sender needs of its bus. */
export interface SenderHost {
  readonly topics: TopicCatalog;
  readonly dispatcher: Dispatcher;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly faults: FaultInjector | undefined;
  /** @throws BusError where nothing may be stored now */
  requireWritable(): void;
}

/** One message in so many is looked at for latency. */
const sampleEvery = 64;

/** The publishing side of a bus: finds each message its partition and has it stored. */
export class Sender {
  readonly #host: SenderHost;
  readonly #ids = new MessageIds();
  /** During a batch: partitions that have refused one of its messages for now, and so refuse what follows it. */
  readonly #refusing = new Map<PartitionLog, BusError>();
  #inBatch = false;
  readonly #delayed: DelayedSends;
  #sends = 0;

  constructor(host: SenderHost) {
    this.#host = host;
    this.#delayed = new DelayedSends(host.scheduler, (log, sending) => this.#store(log, sending));
  }

  send(message: OutgoingMessage, done: Published): void {
    this.#send(message, done, 0);
  }

  publish(message: OutgoingMessage): Promise<Receipt> {
    return publishOne(this, message);
  }

  /** All of them in one turn of the bus. */
  publishBatch(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (messages.length === 0) return Promise.resolve([]);
    return new Promise(resolve => {
      const results = new Array<PublishResult>(messages.length);
      let missing = messages.length;
      const told: Told = (error, receipt, place) => {
        results[place] = receipt ? { ok: true, receipt } : { ok: false, error: asBusError(error) };
        if (--missing === 0) resolve(results);
      };
      this.#host.dispatcher.batch(() => {
        this.#inBatch = true;
        messages.forEach((message, i) => this.#send(message, told, i));
        this.#inBatch = false;
        this.#refusing.clear();
      });
    });
  }

  /** Forgets messages that a fault holds back. */
  stop(): void {
    this.#delayed.clear();
  }

  #send(message: OutgoingMessage, told: Told, place: number): void {
    try {
      this.#host.requireWritable();
      const topic = this.#host.topics.get(message.topic);
      checkMessage(message, topic.settings);
      const log = logFor(topic, message);
      this.#sendTo(log, message, this.#sends++ % sampleEvery === 0 ? this.#timed(told) : told, place);
    } catch (error) {
      told(asBusError(error), undefined, place);
    }
  }

  #sendTo(log: PartitionLog, message: OutgoingMessage, told: Told, place: number): void {
    const refusal = this.#refusing.size > 0 ? this.#refusing.get(log) : undefined;
    if (refusal !== undefined) {
      told(refusal, undefined, place);
      return;
    }
    const id = message.id ?? this.#ids.next();
    const fault = this.#host.faults?.next();
    if (fault === undefined) this.#storeInTurn(log, { message, id, told, place });
    else this.#sendFaulty(fault, log, { message, id, told, place });
  }

  #sendFaulty(fault: Fault, log: PartitionLog, sending: Sending): void {
    switch (fault.kind) {
      case 'fail':
        if (this.#inBatch && fault.error.retryable) this.#refusing.set(log, fault.error);
        sending.told(fault.error, undefined, sending.place);
        return;
      case 'delay':
        this.#delayed.hold(log, sending, fault.delayMs);
        return;
      case 'duplicate':
        this.#storeInTurn(log, { ...sending, told: () => undefined });
        this.#storeInTurn(log, sending);
    }
  }

  #storeInTurn(log: PartitionLog, sending: Sending): void {
    if (this.#delayed.holds(log)) this.#delayed.hold(log, sending, 0);
    else this.#store(log, sending);
  }

  #store(log: PartitionLog, sending: Sending): void {
    log.send(sending);
    if (this.#host.faults?.disconnected !== true) this.#host.dispatcher.touch(log);
  }

  #timed(told: Told): Told {
    const { scheduler, condition } = this.#host;
    const sentAt = steadyNow(scheduler);
    return (error, receipt, place) => {
      condition.published(steadyNow(scheduler) - sentAt);
      told(error, receipt, place);
    };
  }
}

function logFor(topic: OpenTopic, { partition, key }: OutgoingMessage): PartitionLog {
  const { logs } = topic;
  if (partition !== undefined) return logOf(topic, partition);
  return logOf(topic, key === null ? topic.turn++ % logs.length : partitionOf(key, logs.length));
}

function asBusError(error: unknown): BusError {
  return error instanceof BusError
    ? error
    : new BusError(
        'storage',
        `the bus failed (${reasonOf(error)}): publish again, and report it if it fails again`,
        {
          cause: error,
        },
      );
}
