import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { EventBus, SubscriptionHandle } from '../../../src/bus/event-bus.ts';
import { textOf } from './running-bus.ts';

/** What became of what was published. */
export interface Verdict {
  readonly published: number;
  readonly refused: number;
  /** Stored, as the publisher was told, and never seen. */
  readonly lost: readonly string[];
  /** Keys whose messages were first seen in another order than they were published in. */
  readonly reordered: readonly string[];
  readonly duplicates: number;
}

const keys = 16;

/** Publishes and consumes at once, and says in the end what was lost, reordered, and seen more than once. */
export class DeliveryCheck {
  readonly #bus: EventBus;
  readonly #topic: string;
  readonly #stored = new Set<string>();
  readonly #seen = new Map<string, number>();
  readonly #lastOf = new Map<string, number>();
  readonly #reordered = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #reading: SubscriptionHandle | undefined;
  #published = 0;
  #refused = 0;
  #publishing = true;
  /** What ended the reading, if anything has. */
  #ended: unknown;
  #loop: Promise<void> = Promise.resolve();

  constructor(bus: EventBus, topic: string) {
    this.#bus = bus;
    this.#topic = topic;
  }

  async start(group: string, everyMs = 5): Promise<void> {
    this.#reading = await this.#bus.subscribe(
      this.#topic,
      ({ payload }) => {
        this.#see(textOf(payload) ?? '');
      },
      { group, commitIntervalMs: 100 },
    );
    this.#reading.closed.then(
      () => (this.#ended = 'its source completed'),
      (error: unknown) => (this.#ended = error),
    );
    this.#loop = this.#publish(everyMs);
  }

  get seen(): number {
    return this.#seen.size;
  }

  get stored(): number {
    return this.#stored.size;
  }

  /** @throws Error with where everything stands, where so many have not been seen in time */
  async untilSeen(count: number, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (this.seen < count) {
      await setTimeout(100);
      if (performance.now() < end) continue;
      const { seen, stored, underWay } = this;
      const stand = { seen, stored, underWay, refused: this.#refused, ended: this.#ended };
      const known = [await this.#bus.health(), await this.#bus.getTopicInfo(this.#topic)];
      throw new Error(
        `${count} were to be seen in ${timeoutMs} ms: ${inspect([stand, ...known], { depth: 6 })}`,
      );
    }
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Ends publishing, waits until all that is stored was seen, or the time is up. */
  async verdict(timeoutMs: number): Promise<Verdict> {
    this.#publishing = false;
    await this.#loop;
    await Promise.all(this.#underWay);
    const lost = (): string[] => [...this.#stored].filter(value => !this.#seen.has(value));
    for (const end = performance.now() + timeoutMs; lost().length > 0 && performance.now() < end;) {
      await setTimeout(100);
    }
    await this.#reading?.unsubscribe();
    return {
      published: this.#published,
      refused: this.#refused,
      lost: lost(),
      reordered: [...this.#reordered],
      duplicates: [...this.#seen.values()].reduce((sum, times) => sum + times - 1, 0),
    };
  }

  async #publish(everyMs: number): Promise<void> {
    while (this.#publishing) {
      const number = this.#published++;
      const key = `k${number % keys}`;
      const value = `${key}:${number}`;
      const sent: Promise<void> = this.#bus
        .publish({ topic: this.#topic, key, payload: Buffer.from(value) })
        .then(
          () => void this.#stored.add(value),
          () => {
            this.#refused++;
          },
        )
        .finally(() => this.#underWay.delete(sent));
      this.#underWay.add(sent);
      await setTimeout(everyMs);
    }
  }

  #see(value: string): void {
    const times = this.#seen.get(value) ?? 0;
    this.#seen.set(value, times + 1);
    if (times > 0) return;
    const [key = '', number] = value.split(':');
    if (Number(number) < (this.#lastOf.get(key) ?? -1)) this.#reordered.add(key);
    this.#lastOf.set(key, Number(number));
  }
}
