import { type SchedulerLike, queueScheduler } from 'rxjs';
import { MessageHeaders } from '../core/headers.ts';
import { type Message, type OutgoingMessage, messageId, offset, partition } from '../core/message.ts';
import { BusError, type BusErrorCode, type Published, type Publisher } from '../core/publisher.ts';

export interface FakePublisherOptions {
  /** How long the broker takes, ms of virtual time; default 0: the sender is told before `send` returns. */
  readonly latencyMs?: number;
  /** Partitions of each topic; what is not named has one. */
  readonly partitions?: Readonly<Record<string, number>>;
  /** The name of the pipeline for which it publishes. */
  readonly pipeline?: string;
  readonly scheduler?: SchedulerLike;
}

/** A broker that a test can look into: it stores what it is sent, late or not at all if told so. */
export class FakePublisher implements Publisher {
  readonly pipeline: string;
  /** What has been stored, in order. */
  readonly stored: Message[] = [];
  /** How long the broker takes from now on, ms. */
  latencyMs: number;
  readonly #partitions: Readonly<Record<string, number>>;
  readonly #scheduler: SchedulerLike;
  readonly #failures: BusError[] = [];
  #sending = 0;
  /** Messages on their way that will be refused for now; what follows them is refused with them. */
  #refusing: BusError[] = [];

  constructor(options: FakePublisherOptions = {}) {
    this.pipeline = options.pipeline ?? 'test';
    this.latencyMs = options.latencyMs ?? 0;
    this.#partitions = options.partitions ?? {};
    this.#scheduler = options.scheduler ?? queueScheduler;
  }

  /** Messages on their way: sent, and their sender not told yet. */
  get sending(): number {
    return this.#sending;
  }

  /** The next `times` messages are refused. */
  failNext(code: BusErrorCode = 'publish-timeout', times = 1): void {
    const error = new BusError(code, `told to fail: ${code}`);
    for (let i = 0; i < times; i++) this.#failures.push(error);
  }

  send(message: OutgoingMessage, done: Published): void {
    const failure = this.#failures.shift() ?? this.#refusing.at(-1);
    if (failure?.retryable === true) this.#refusing.push(failure);
    const tell = (): void => {
      this.#sending--;
      if (failure?.retryable === true) this.#refusing.pop();
      if (failure) done(failure, undefined);
      else done(undefined, this.#store(message));
    };
    this.#sending++;
    if (this.latencyMs === 0) tell();
    else this.#scheduler.schedule(tell, this.latencyMs);
  }

  partitionsOf(topic: string): number {
    return this.#partitions[topic] ?? 1;
  }

  /** What has been stored in one topic, in order. */
  storedIn(topic: string): readonly Message[] {
    return this.stored.filter(message => message.topic === topic);
  }

  #store(message: OutgoingMessage): Message {
    const now = this.#scheduler.now();
    const inTopic = this.storedIn(message.topic).length;
    const stored: Message = {
      id: message.id ?? messageId(`fake-${this.stored.length}`),
      topic: message.topic,
      partition: partition(message.partition ?? 0),
      offset: offset(inTopic),
      key: message.key,
      payload: message.payload,
      headers: message.headers ?? MessageHeaders.empty,
      timestamp: message.timestamp ?? now,
      logTime: now,
    };
    this.stored.push(stored);
    return stored;
  }
}
