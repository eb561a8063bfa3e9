import { type Observable, ReplaySubject } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import { placeName } from '../bus/partition-name.ts';

/** Partitions that have come together. */
export interface Tenure {
  readonly partitions: readonly TopicPartition[];
  /** Those of them that have not gone since, even if they have come again: then they are another tenure's. */
  readonly left: readonly TopicPartition[];
}

/** The partitions of a pipeline's input that are read here. */
export class HeldPartitions {
  readonly #tenures = new Map<string, { readonly partition: number; readonly of: Tenure }>();
  readonly #numbers$ = new ReplaySubject<ReadonlySet<number>>(1);

  /** Their numbers, of whatever topic, whenever they change; silent before the first have come. */
  get numbers$(): Observable<ReadonlySet<number>> {
    return this.#numbers$;
  }

  some(isMeant: (partition: number) => boolean): boolean {
    return [...this.#tenures.values()].some(({ partition }) => isMeant(partition));
  }

  assigned(partitions: readonly TopicPartition[]): Tenure {
    const tenures = this.#tenures;
    const tenure: Tenure = {
      partitions,
      get left() {
        return partitions.filter(place => tenures.get(placeName(place))?.of === tenure);
      },
    };
    for (const place of partitions) tenures.set(placeName(place), { partition: place.partition, of: tenure });
    this.#changed();
    return tenure;
  }

  revoked(partitions: readonly TopicPartition[]): void {
    for (const place of partitions) this.#tenures.delete(placeName(place));
    this.#changed();
  }

  #changed(): void {
    this.#numbers$.next(new Set([...this.#tenures.values()].map(({ partition }) => partition)));
  }
}
