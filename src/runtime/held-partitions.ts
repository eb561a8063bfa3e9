import { type Observable, ReplaySubject } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import { placeName } from '../bus/partition-name.ts';

/** The partitions of a pipeline's input that are read here. */
export class HeldPartitions {
  readonly #partitions = new Map<string, number>();
  readonly #numbers$ = new ReplaySubject<ReadonlySet<number>>(1);

  /** Their numbers, of whatever topic, whenever they change; silent before the first have come. */
  get numbers$(): Observable<ReadonlySet<number>> {
    return this.#numbers$;
  }

  some(isMeant: (partition: number) => boolean): boolean {
    return [...this.#partitions.values()].some(isMeant);
  }

  assigned(partitions: readonly TopicPartition[]): void {
    for (const place of partitions) this.#partitions.set(placeName(place), place.partition);
    this.#changed();
  }

  revoked(partitions: readonly TopicPartition[]): void {
    for (const place of partitions) this.#partitions.delete(placeName(place));
    this.#changed();
  }

  #changed(): void {
    this.#numbers$.next(new Set(this.#partitions.values()));
  }
}
