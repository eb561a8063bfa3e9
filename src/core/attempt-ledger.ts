/** What a message that waits for its next attempt has been through since it came from its source. */
export interface AttemptRecord {
  /** Attempts that failed. */
  readonly count: number;
  /** When the first and the last of them failed, ms. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** When the next is to begin, ms. */
  readonly dueAt: number;
}

/** The place of a message, by which its attempts are known again. */
export interface AttemptPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * The attempts at messages that are in flight. Each record is true by itself, whatever else has been settled: it
 * neither waits for a snapshot nor holds up a commit.
 */
export interface AttemptLedger {
  readonly size: number;
  get(place: AttemptPlace): AttemptRecord | undefined;
  set(place: AttemptPlace, record: AttemptRecord): void;
  delete(place: AttemptPlace): void;
}

/** A ledger in memory, which tells what has changed in it. */
export class MemoryAttemptLedger implements AttemptLedger {
  readonly #records = new Map<string, { readonly place: AttemptPlace; readonly record: AttemptRecord }>();
  readonly #changed: (place: AttemptPlace) => void;

  constructor(changed: (place: AttemptPlace) => void = () => undefined) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#records.size;
  }

  /** The messages that have a record. */
  get places(): readonly AttemptPlace[] {
    return [...this.#records.values()].map(({ place }) => place);
  }

  get(place: AttemptPlace): AttemptRecord | undefined {
    return this.#records.get(placeName(place))?.record;
  }

  set(place: AttemptPlace, record: AttemptRecord): void {
    this.restore(place, record);
    this.#changed(place);
  }

  delete(place: AttemptPlace): void {
    if (this.forget(place)) this.#changed(place);
  }

  /** Takes over what is stored elsewhere already. */
  restore({ topic, partition, offset }: AttemptPlace, record: AttemptRecord): void {
    const place = { topic, partition, offset };
    this.#records.set(placeName(place), { place, record });
  }

  /** Leaves to others what is stored elsewhere. */
  forget(place: AttemptPlace): boolean {
    return this.#records.delete(placeName(place));
  }
}

function placeName({ topic, partition, offset }: AttemptPlace): string {
  return `${topic}/${partition}/${offset}`;
}
