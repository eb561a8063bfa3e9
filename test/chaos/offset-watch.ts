import { type Admin, Kafka, logLevel } from 'kafkajs';

const everyMs = 500;

/** Looks again and again at what the groups of a cluster have committed, and notes what goes backwards. */
export class OffsetWatch {
  readonly #admin: Admin;
  readonly #highest = new Map<string, number>();
  readonly #backwards: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(brokers: readonly string[]) {
    this.#admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  }

  async start(): Promise<void> {
    await this.#admin.connect();
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look()).catch(() => undefined);
    }, everyMs);
  }

  /** What went backwards, in words. */
  async stop(): Promise<readonly string[]> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#admin.disconnect();
    return this.#backwards;
  }

  async #look(): Promise<void> {
    const { groups } = await this.#admin.listGroups();
    for (const { groupId } of groups) {
      for (const { topic, partitions } of await this.#admin.fetchOffsets({ groupId })) {
        for (const { partition, offset } of partitions) {
          this.#see(`${groupId} in ${topic}[${partition}]`, Number(offset));
        }
      }
    }
  }

  #see(place: string, offset: number): void {
    const before = this.#highest.get(place) ?? -1;
    if (offset < before) this.#backwards.push(`${place}: from ${before} to ${offset}`);
    else this.#highest.set(place, offset);
  }
}
