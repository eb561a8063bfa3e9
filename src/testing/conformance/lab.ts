import assert from 'node:assert/strict';
import { type Subscription, of } from 'rxjs';
import type { EventBus, PartitionLifecycle, SourceLoad, SourceOptions } from '../../bus/event-bus.ts';
import { type Delivery, settlement } from '../../core/delivery.ts';
import type { Bytes, Message, OutgoingMessage } from '../../core/message.ts';
import { BusError, type BusErrorCode, type Receipt } from '../../core/publisher.ts';
import type { Settlement } from '../../core/settlement.ts';
import { type TopicSettings, defaultTopicSettings } from '../../core/topic.ts';
import type {
  ConformanceBusOptions,
  ConformanceCase,
  ConformanceContext,
  ConformanceNeed,
} from './contract.ts';

const stepMs = 25;
const maxSteps = 600;

/** A case about a bus that is started for it, and stopped afterwards whatever happens. */
export function busCase(
  name: string,
  run: (lab: Lab) => Promise<void>,
  needs: readonly ConformanceNeed[] = [],
  options: ConformanceBusOptions = {},
): ConformanceCase {
  return {
    name,
    needs,
    run: async context => {
      const lab = new Lab(context);
      try {
        await lab.startBus(options);
        await run(lab);
      } finally {
        await lab.close();
      }
    },
  };
}

/** What a delivery's payload says. */
export function textOf({ payload }: Message): string | null {
  return payload === null ? null : Buffer.from(payload).toString();
}

/** `a0, a1, ...`: so many names. */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** That the promise rejects with a BusError of this code, whose text is more than the code. */
export async function refused(promise: Promise<unknown>, code: BusErrorCode): Promise<BusError> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    assert.equal(error.code, code);
    assert.ok(error.message.length > code.length, 'the error says nothing');
    return error;
  }
  return assert.fail(`not refused with ${code}`);
}

/** The bus of one run, and shorthands for what cases do with it. */
export class Lab {
  readonly #context: ConformanceContext;
  readonly #buses: EventBus[] = [];
  readonly #subscriptions: Subscription[] = [];
  #lastName = 0;

  constructor(context: ConformanceContext) {
    this.#context = context;
  }

  /** The newest bus. */
  get bus(): EventBus {
    return this.#buses.at(-1) ?? assert.fail('no bus was started');
  }

  /** One more bus at the same place. */
  createBus(options?: ConformanceBusOptions): EventBus {
    const bus = this.#context.createBus(options);
    this.#buses.push(bus);
    return bus;
  }

  async startBus(options?: ConformanceBusOptions): Promise<EventBus> {
    const bus = this.createBus(options);
    await bus.start();
    return bus;
  }

  /** A name that no other topic or group of the run has. */
  name(what: string): string {
    return `${this.#context.prefix ?? ''}${what}-${++this.#lastName}`;
  }

  async topic(settings: Partial<TopicSettings> = {}): Promise<string> {
    const name = this.name('topic');
    await this.bus.createTopic({ name, settings: { ...defaultTopicSettings, ...settings } });
    return name;
  }

  publish(
    topic: string,
    key: string | null,
    value: string | null,
    rest: Partial<OutgoingMessage> = {},
  ): Promise<Receipt> {
    return this.bus.publish({
      topic,
      key,
      payload: value === null ? null : Buffer.from(value),
      ...rest,
    });
  }

  async publishAll(
    topic: string,
    key: string | null,
    values: readonly string[],
    rest: Partial<OutgoingMessage> = {},
  ): Promise<void> {
    for (const value of values) await this.publish(topic, key, value, rest);
  }

  /**
   * Reads a topic in a group of its own; tells at any time how many messages are unsettled, over how many they spread,
   * and how many of those the operator `filter` dropped.
   */
  readMeasured(topic: string): {
    readonly reading: Reading;
    readonly load: () => readonly (number | undefined)[];
  } {
    let source: SourceLoad | undefined;
    const lifecycle: PartitionLifecycle = {
      began: load => (source = load),
      assigned: () => of([]),
      revoked: () => undefined,
    };
    const reading = this.read(topic, { group: this.name('group'), lifecycle });
    return { reading, load: () => [source?.unsettled, source?.spread, source?.dropped(new Set(['filter']))] };
  }

  /** Subscribes to the topics; what comes waits to be settled unless `settle` does it. */
  read(
    topics: string | readonly string[],
    options: SourceOptions = {},
    settle: (duty: Settlement, message: Message) => void = () => undefined,
  ): Reading {
    const reading = new Reading(settle);
    reading.subscription = this.bus.source(topics, options).subscribe({
      next: delivery => reading.take(delivery),
      error: (error: unknown) => (reading.error = error),
      complete: () => (reading.completed = true),
    });
    this.#subscriptions.push(reading.subscription);
    return reading;
  }

  /** As `read`, acking at once. */
  consume(topics: string | readonly string[], options: SourceOptions = {}): Reading {
    return this.read(topics, options, duty => duty.ack());
  }

  /** Waits until it is so. */
  async eventually(isSo: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    for (let step = 0; step < maxSteps; step++) {
      if (await isSo()) return;
      await this.passTime(stepMs);
    }
    assert.fail(`it never came to this: ${what()}`);
  }

  /** Waits until the reading holds these, as text, in this order. */
  async sees(reading: Reading, values: readonly (string | null)[]): Promise<void> {
    await this.eventually(
      () => reading.values.length >= values.length,
      () => `${values.length} messages, there are ${reading.values.length}`,
    );
    await this.passTime(stepMs);
    assert.deepEqual(reading.values, values);
  }

  /** Waits until the group has committed so many messages of the topic, over all partitions. */
  async commits(topic: string, group: string, count: number): Promise<void> {
    const committed = async (): Promise<number> => {
      const { groups } = await this.bus.getTopicInfo(topic);
      return groups.filter(lag => lag.group === group).reduce((sum, lag) => sum + lag.committed, 0);
    };
    await this.eventually(
      async () => (await committed()) >= count,
      () => `${count} committed`,
    );
    assert.equal(await committed(), count);
  }

  passTime(ms: number): Promise<void> {
    return this.#context.passTime(ms);
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const bus of this.#buses) await bus.stop();
  }
}

/** What one subscription has seen. */
export class Reading {
  readonly deliveries: Delivery<Bytes>[] = [];
  completed = false;
  error: unknown;
  subscription: Subscription | undefined;
  readonly #settle: (duty: Settlement, message: Message) => void;

  constructor(settle: (duty: Settlement, message: Message) => void) {
    this.#settle = settle;
  }

  get values(): (string | null)[] {
    return this.deliveries.map(({ message }) => textOf(message));
  }

  get messages(): Message[] {
    return this.deliveries.map(({ message }) => message);
  }

  take(delivery: Delivery<Bytes>): void {
    this.deliveries.push(delivery);
    this.#settle(delivery[settlement], delivery.message);
  }

  /** The duty to settle the n-th delivery that came. */
  duty(index: number): Settlement {
    const delivery = this.deliveries[index] ?? assert.fail(`there was no delivery ${index}`);
    return delivery[settlement];
  }

  stop(): void {
    this.subscription?.unsubscribe();
  }
}
