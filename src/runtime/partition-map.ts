/** Values by topic and partition; several are looked up for each message, so no name is put together for that. */
export class PartitionMap<T> {
  readonly #topics = new Map<string, (T | undefined)[]>();
  #values: readonly T[] | undefined;
  /** Of the topic asked for last: most are asked for many times in a row. */
  #lastTopic: string | undefined;
  #lastPartitions: readonly (T | undefined)[] | undefined;

  get(topic: string, partition: number): T | undefined {
    if (topic !== this.#lastTopic) {
      this.#lastTopic = topic;
      this.#lastPartitions = this.#topics.get(topic);
    }
    return this.#lastPartitions?.[partition];
  }

  set(topic: string, partition: number, value: T): void {
    const partitions = this.#topics.get(topic) ?? [];
    this.#topics.set(topic, partitions);
    this.#lastTopic = undefined;
    partitions[partition] = value;
    this.#values = undefined;
  }

  /** Takes what a record by `topic/partition` holds. */
  setAll(record: Readonly<Record<string, T>>): void {
    for (const [name, value] of Object.entries(record)) {
      const slash = name.lastIndexOf('/');
      this.set(name.slice(0, slash), Number(name.slice(slash + 1)), value);
    }
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic);
    if (partitions?.[partition] === undefined) return;
    partitions[partition] = undefined;
    this.#values = undefined;
  }

  /** Every value, with its `topic/partition`. */
  *entries(): Generator<readonly [string, T]> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, value] of partitions.entries()) {
        if (value !== undefined) yield [`${topic}/${partition}`, value];
      }
    }
  }

  /** Every value; not to be kept, for it is the same list until something is set or deleted. */
  values(): readonly T[] {
    this.#values ??= [...this.entries()].map(([, value]) => value);
    return this.#values;
  }
}
