import { type Subscription, defer, retry, timer } from 'rxjs';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { placeName } from '../../src/bus/partition-name.ts';
import type { Message } from '../../src/core/message.ts';
import { settlement } from '../../src/core/delivery.ts';

const againMs = 1_000;

/**
 * Reads topics from their beginning while all is under way, as anybody might. What it has seen must be there in the
 * end: else it saw what was not committed, or what a broker has lost since.
 */
export class LiveReader {
  readonly #bus: EventBus;
  readonly #topics: readonly string[];
  readonly #reading: Subscription;
  /** By partition, and there by offset: the id that was seen, in short. */
  readonly #seen = new Map<string, number[]>();

  constructor(bus: EventBus, topics: readonly string[]) {
    this.#bus = bus;
    this.#topics = topics;
    this.#reading = defer(() => bus.source(topics))
      .pipe(retry({ delay: () => timer(againMs) }))
      .subscribe(({ message, [settlement]: duty }) => {
        this.#take(message);
        duty.ack();
      });
  }

  /** How many messages it has seen. */
  get seen(): number {
    return [...this.#seen.values()].reduce((sum, ids) => sum + Object.keys(ids).length, 0);
  }

  /** Ends the reading; how many of the messages that it has seen are not there, now that all is decided. */
  async vanished(): Promise<number> {
    this.#reading.unsubscribe();
    const { seen } = this;
    if (seen === 0) throw new Error(`${this.#topics.join(', ')}: nothing was seen while it was under way`);
    let found = 0;
    for (const topic of this.#topics) {
      await this.#readAll(topic, message => {
        if (this.#seen.get(placeName(message))?.[message.offset] === shortOf(message)) found++;
      });
    }
    return seen - found;
  }

  #take(message: Message): void {
    const place = placeName(message);
    const ids = this.#seen.get(place) ?? [];
    this.#seen.set(place, ids);
    // The first time counts: what is there in its stead later is found out then.
    ids[message.offset] ??= shortOf(message);
  }

  #readAll(topic: string, take: (message: Message) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#bus.source(topic, { untilEnd: true }).subscribe({
        next: ({ message, [settlement]: duty }) => {
          take(message);
          duty.ack();
        },
        error: reject,
        complete: resolve,
      });
    });
  }
}

/** 31 bits of a message's id: millions of ids are not kept. */
function shortOf({ id }: Message): number {
  let hash = 7;
  for (let at = 0; at < id.length; at++) hash = (Math.imul(hash, 31) + id.charCodeAt(at)) & 0x3fffffff;
  return hash;
}
