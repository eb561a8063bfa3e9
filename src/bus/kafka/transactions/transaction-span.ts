import type { BusError } from '../../../core/publisher.ts';
import type { TopicPartition } from '../../event-bus.ts';
import { placeName } from '../../partition-name.ts';
import { isSamePartition } from '../../same-partition.ts';

/** A partition that is not part of a transaction, and the client's error that says why. */
export interface RefusedPlace extends TopicPartition {
  readonly error: Error;
}

/** How a coordinator is told, and what it says becomes. */
export interface SpanHost {
  /** Where one is refused none is added. */
  addPartitions(places: readonly TopicPartition[]): Promise<readonly RefusedPlace[]>;
  addGroup(group: string): Promise<void>;
  /** Whether a place was only refused because another one was. */
  isNotAttempted(place: RefusedPlace): boolean;
  refusalOf(place: RefusedPlace): BusError;
  errorOf(error: unknown): BusError;
}

type Refusals = ReadonlyMap<string, BusError>;

const none: Refusals = new Map();

/**
 * The partitions and groups that the open transaction spans. Its first request names all that the one before wrote to,
 * and the groups follow while the brokers store what was sent: a coordinator takes one request at a time, and whoever
 * sends, or commits, would wait for each.
 */
export class TransactionSpan {
  readonly #host: SpanHost;
  readonly #places = new Set<string>();
  readonly #groups = new Set<string>();
  readonly #written = new Map<string, TopicPartition>();
  #likelyPlaces: readonly TopicPartition[] = [];
  #likelyGroups: readonly string[] = [];
  /** The last of the requests, which are made one by one; never fails. */
  #adding: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #isOpen = false;

  constructor(host: SpanHost) {
    this.#host = host;
  }

  /** Whether the coordinator may know of a transaction that has not ended. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether a request is under way, which may still begin a transaction. */
  get isAdding(): boolean {
    return this.#pending > 0;
  }

  /** The partitions that were asked for, and not refused. */
  get written(): readonly TopicPartition[] {
    return [...this.#written.values()];
  }

  /** The groups that are part of it. */
  get groups(): readonly string[] {
    return [...this.#groups];
  }

  /** Makes partitions part of the transaction; why not, by place, where that is refused. */
  addPlaces(places: readonly TopicPartition[]): Promise<Refusals> {
    for (const place of places) this.#written.set(placeName(place), place);
    if (places.every(place => this.#places.has(placeName(place)))) return Promise.resolve(none);
    const adding = this.#next(() => this.#addMissing(places));
    this.#addLikelyGroups();
    return adding;
  }

  /** Makes groups part of the transaction. @throws the client's error */
  async addGroups(groups: Iterable<string>): Promise<void> {
    await this.#adding;
    for (const group of groups) await this.#addGroup(group);
  }

  /** The transaction was committed, and spanned these groups. */
  committed(groups: Iterable<string>): void {
    this.#isOpen = false;
    this.#likelyPlaces = [...this.#written.values()];
    this.#likelyGroups = [...groups];
    this.#written.clear();
    this.#places.clear();
    this.#groups.clear();
  }

  async #next<A>(request: () => Promise<A>): Promise<A> {
    this.#pending++;
    const answer = this.#adding.then(request).finally(() => this.#pending--);
    this.#adding = answer.catch(() => undefined);
    return answer;
  }

  async #addMissing(places: readonly TopicPartition[]): Promise<Refusals> {
    const wanted = new Map([...places, ...this.#likelyPlaces].map(place => [placeName(place), place]));
    this.#likelyPlaces = [];
    for (const name of this.#places) wanted.delete(name);
    const refusals = new Map<string, BusError>();
    let missing: readonly TopicPartition[] = [...wanted.values()];
    try {
      while (missing.length > 0) {
        this.#isOpen = true;
        const answers = await this.#host.addPartitions(missing);
        const refused = answers.filter(place => !this.#host.isNotAttempted(place));
        for (const place of refused) this.#refuse(place, refusals);
        if (refused.length === 0) {
          for (const place of missing) this.#places.add(placeName(place));
          break;
        }
        missing = missing.filter(place => !refused.some(each => isSamePartition(each, place)));
      }
    } catch (error) {
      const refusal = this.#host.errorOf(error);
      for (const place of missing) refusals.set(placeName(place), refusal);
    }
    return refusals;
  }

  #refuse(place: RefusedPlace, refusals: Map<string, BusError>): void {
    this.#written.delete(placeName(place));
    refusals.set(placeName(place), this.#host.refusalOf(place));
  }

  /** What fails is asked for again by the commit, which tells why. */
  #addLikelyGroups(): void {
    for (const group of this.#likelyGroups) {
      this.#next(async () => this.#isOpen && (await this.#addGroup(group))).catch(() => undefined);
    }
    this.#likelyGroups = [];
  }

  async #addGroup(group: string): Promise<void> {
    if (this.#groups.has(group)) return;
    this.#isOpen = true;
    await this.#host.addGroup(group);
    this.#groups.add(group);
  }
}
