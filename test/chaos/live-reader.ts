import { type Subscription, defer, retry, timer } from 'rxjs';
import type { EventBus } from '../../src/bus/event-bus.ts';
import type { Message } from '../../src/core/message.ts';
import { settlement } from '../../src/core/delivery.ts';
import { PartitionMap } from '../../src/runtime/partition-map.ts';
import { readToEnd } from './read-to-end.ts';

const againMs = 1_000;

/**
 * Reads topics from their beginning while all is under way, as anybody might. What it has seen must be there in the
 * end: else it saw what was not committed, or what a broker has lost since.
 */
export class LiveReader {
  readonly #bus: EventBus;
  readonly #topics: readonly string[];
  readonly #reading: Subscription;
  /** What was seen at each offset: the first time counts, what is there in its stead is found out in the end. */
  readonly #seen = new PartitionMap<Map<number, string>>();
  readonly #ids: ReadonlyMap<string, Set<string>>;

  constructor(bus: EventBus, topics: readonly string[]) {
    this.#bus = bus;
    this.#topics = topics;
    this.#ids = new Map(topics.map(topic => [topic, new Set()]));
    this.#reading = defer(() => bus.source(topics))
      .pipe(retry({ delay: () => timer(againMs) }))
      .subscribe(({ message, [settlement]: duty }) => {
        this.#take(message);
        duty.ack();
      });
  }

  /** How many messages it has seen. */
  get seen(): number {
    return this.#seen.values().reduce((sum, ids) => sum + ids.size, 0);
  }

  /** How many of a topic it has seen, what came twice once. */
  idsOf(topic: string): number {
    return this.#ids.get(topic)?.size ?? 0;
  }

  /** Ends the reading; how many of the messages that it has seen are not there, now that all is decided. */
  async vanished(): Promise<number> {
    this.#reading.unsubscribe();
    const { seen } = this;
    if (seen === 0) throw new Error(`${this.#topics.join(', ')}: nothing was seen while it was under way`);
    let found = 0;
    for (const topic of this.#topics) {
      await readToEnd(this.#bus, topic, ({ partition, offset, id }) => {
        if (this.#seen.get(topic, partition)?.get(offset) === id) found++;
      });
    }
    return seen - found;
  }

  #take({ topic, partition, offset, id, payload }: Message): void {
    const ids = this.#seen.get(topic, partition) ?? new Map<number, string>();
    this.#seen.set(topic, partition, ids);
    if (!ids.has(offset)) ids.set(offset, id);
    // Markers are of the way that it took, not of what it has to give.
    if (payload !== null) this.#ids.get(topic)?.add(id);
  }
}
