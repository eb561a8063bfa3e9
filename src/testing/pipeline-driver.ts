import { setImmediate as nextTurn } from 'node:timers/promises';
import type { VirtualTimeScheduler } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import { settlement } from '../core/delivery.ts';
import { type HeaderValue, MessageHeaders } from '../core/headers.ts';
import { Marker, markerMessage } from '../core/marker.ts';
import { type Message, type OutgoingMessage, messageId } from '../core/message.ts';
import type { Topic, TopicSettings } from '../core/topic.ts';
import type { Pipeline } from '../runtime/pipeline.ts';
import type { PipelineEvent, PipelineStatus } from '../runtime/pipeline-status.ts';
import { ensureTopic } from '../runtime/ensure-topic.ts';
import { Runtime, type RuntimeOptions } from '../runtime/runtime.ts';
import { type VirtualBusOptions, virtualBus } from './virtual-bus.ts';

export interface PipelineDriverOptions extends VirtualBusOptions {
  /** What to run; made anew for each start, as a new process would. */
  readonly pipelines: () => readonly Pipeline[];
  readonly runtime?: Omit<RuntimeOptions, 'scheduler' | 'report'>;
}

/** One message to give to a topic; what is left out has its default. */
export interface GivenMessage {
  readonly key?: string | null;
  /** Event time, ms; default: the clock's. */
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, HeaderValue>> | MessageHeaders;
  readonly partition?: number;
  readonly id?: string;
}

/**
 * Runs pipelines on the bus in memory in virtual time: give messages with event times, let time go by, look at
 * what came out; stop and start again on the same bus as often as the test likes.
 *
 * @example
 * const driver = await PipelineDriver.start({ pipelines: () => [upper], topics: { words: {}, shouted: {} } });
 * driver.give(words, 'hello', { key: 'a', timestamp: 1_000 });
 * expect(driver.values(shouted)).toEqual(['HELLO']);
 */
export class PipelineDriver {
  readonly bus: EventBus;
  readonly scheduler: VirtualTimeScheduler;
  /** Lets so many ms go by. */
  readonly runFor: (ms: number) => void;
  /** What the pipelines reported since the first start. */
  readonly events: PipelineEvent[] = [];
  readonly #options: PipelineDriverOptions;
  #runtime: Runtime;

  private constructor(options: PipelineDriverOptions) {
    const virtual = virtualBus({ maxPartitionBytes: 64 * 1024 * 1024, ...options });
    this.bus = virtual.bus;
    this.scheduler = virtual.scheduler;
    this.runFor = ms => virtual.runFor(ms);
    this.#options = options;
    this.#runtime = this.#newRuntime();
  }

  /** A driver whose pipelines run. */
  static async start(options: PipelineDriverOptions): Promise<PipelineDriver> {
    const driver = new PipelineDriver(options);
    await driver.#runtime.start();
    return driver;
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  /** Ends the pipelines at once, as a crash would; what was in flight comes again after {@link restart}. */
  stop(): void {
    this.#runtime.stop();
  }

  /** Stops, and runs the pipelines anew on the same bus. */
  async restart(): Promise<void> {
    this.#runtime.stop();
    this.#runtime = this.#newRuntime();
    await this.#runtime.start();
  }

  /** Drains the pipelines; resolves to the virtual ms that it took. */
  async drain(deadlineMs: number): Promise<number> {
    const began = this.scheduler.now();
    return (await this.during(this.#runtime.drain(deadlineMs))) - began;
  }

  /**
   * Lets virtual time go by until a promise has settled; resolves to the time then.
   *
   * @throws Error when that takes more than an hour of virtual time
   */
  async during(promise: Promise<unknown>): Promise<number> {
    const progress = { done: false };
    const settled = promise.finally(() => (progress.done = true));
    for (let step = 0; step < 360_000; step++) {
      await nextTurn();
      if (progress.done) {
        await settled;
        return this.scheduler.now();
      }
      this.runFor(10);
    }
    throw new Error('the promise has not settled within an hour of virtual time');
  }

  /** Resolves once so many virtual ms have gone by; somebody else lets them go by. */
  pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      this.scheduler.schedule(() => resolve(), ms);
    });
  }

  /** Creates a topic that is not there yet. */
  async topic({ name, settings }: { name: string; settings: TopicSettings }): Promise<void> {
    await ensureTopic(this.bus, { name, settings });
  }

  /** Writes a value to a topic. */
  give<A>(topic: Topic<A>, value: A, rest: GivenMessage = {}): void {
    this.giveBytes(topic, topic.codec.encode(value), rest);
  }

  /** Writes bytes, or a tombstone, to a topic. */
  giveBytes(topic: { readonly name: string }, payload: Uint8Array | null, rest: GivenMessage = {}): void {
    const { key = 'key', timestamp = this.scheduler.now(), headers = {}, partition, id } = rest;
    const message: OutgoingMessage = {
      topic: topic.name,
      key,
      payload,
      timestamp,
      headers: MessageHeaders.of(headers),
      ...(partition !== undefined && { partition }),
      ...(id !== undefined && { id: messageId(id) }),
    };
    this.#send(message);
  }

  /** Writes a marker to every partition of a topic, or to one. */
  mark(topic: { readonly name: string }, marker: number | Marker, partition?: number): void {
    const told = typeof marker === 'number' ? new Marker('time', marker) : marker;
    const all = Array.from({ length: this.bus.partitionsOf(topic.name) }, (_, index) => index);
    for (const index of partition === undefined ? all : [partition]) {
      this.#send(markerMessage(topic.name, index, told));
    }
  }

  /** Everything that a topic holds, markers included, partition by partition. */
  messages(topic: { readonly name: string }): Message[] {
    const messages: Message[] = [];
    this.bus.source(topic.name, { untilEnd: true }).subscribe(({ message, [settlement]: duty }) => {
      messages.push(message);
      duty.ack();
    });
    return messages.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  /** The values that a topic holds, in the order of {@link messages}. @throws Error for what is no value */
  values<A>(topic: Topic<A>): A[] {
    return this.messages(topic).flatMap(({ payload }) => {
      if (payload === null) return [];
      const decoded = topic.codec.decode(payload);
      if (decoded._tag === 'Left') throw decoded.left;
      return [decoded.right];
    });
  }

  /** Where one pipeline stands. @throws Error where no pipeline has the name */
  async status(name: string): Promise<PipelineStatus> {
    const status = (await this.#runtime.status()).find(candidate => candidate.name === name);
    if (status === undefined) throw new Error(`no pipeline is called ${name}`);
    return status;
  }

  #newRuntime(): Runtime {
    const { pipelines, runtime } = this.#options;
    return new Runtime(pipelines(), this.bus, {
      ...runtime,
      scheduler: this.scheduler,
      report: event => this.events.push(event),
    });
  }

  #send(message: OutgoingMessage): void {
    this.bus.send(message, error => {
      if (error) throw error;
    });
  }
}

/** Of messages with the same id the first, in their order: what a reader that drops repetitions keeps. */
export function firstOccurrences(messages: readonly Message[]): Message[] {
  const seen = new Set<string>();
  return messages.filter(({ id }) => !seen.has(id) && seen.add(id));
}
