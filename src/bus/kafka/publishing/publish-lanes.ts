import type { MessageId, OutgoingMessage } from '../../../core/message.ts';
import type { Published } from '../../../core/publisher.ts';
import { Queue } from '../../../core/queue.ts';
import { noSuchPartition } from '../../no-such-partition.ts';
import { partitionOf } from '../../partitioner.ts';
import type { WireRecord } from '../driver.ts';
import type { KnownTopic } from '../cluster/topic-directory.ts';

/** A message on its way. */
export interface Sending {
  readonly id: MessageId;
  readonly record: WireRecord;
  readonly bytes: number;
  readonly sentAt: number;
  readonly done: Published;
}

/** What waits for one partition, in order; of each partition one batch at a time is under way. */
export interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly waiting: Queue<Sending>;
  /** Of what waits. */
  bytes: number;
  /** Through which it goes out; undefined while nothing waits or is under way. */
  outlet: LaneOutlet | undefined;
  busy: boolean;
}

/** Where lanes wait for their turn. */
export interface LaneOutlet {
  /** A lane, none of which is under way, has so many bytes more to send. */
  offer(lane: Lane, bytes: number): void;
}

/** One batch of one lane under way. */
export interface Load {
  readonly lane: Lane;
  readonly sendings: readonly Sending[];
  /** The rest of a batch that was taken apart: it is sent after this, or refused with it, and taken out here. */
  readonly behind?: Sending[];
}

/** The lanes of every partition that was published to. */
export class PublishLanes {
  readonly #lanes = new Map<string, Map<number, Lane>>();
  /** Messages without a key that each topic has had: they go to its partitions in turn. */
  readonly #turns = new Map<string, number>();

  /** @throws BusError `invalid-message` where the topic has no such partition */
  laneOf({ name, partitions }: KnownTopic, { partition: wanted, key }: OutgoingMessage): Lane {
    const index = wanted ?? (key === null ? this.#turn(name) % partitions : partitionOf(key, partitions));
    if (!Number.isInteger(index) || index < 0 || index >= partitions) {
      throw noSuchPartition(name, index, partitions);
    }
    const lanes = this.#lanes.get(name) ?? new Map<number, Lane>();
    this.#lanes.set(name, lanes);
    const lane = lanes.get(index) ?? {
      topic: name,
      partition: index,
      waiting: new Queue(),
      bytes: 0,
      outlet: undefined,
      busy: false,
    };
    lanes.set(index, lane);
    return lane;
  }

  *all(): Iterable<Lane> {
    for (const lanes of this.#lanes.values()) yield* lanes.values();
  }

  #turn(topic: string): number {
    const turn = this.#turns.get(topic) ?? 0;
    this.#turns.set(topic, turn + 1);
    return turn;
  }
}

/** Takes of a lane, from the front, what fits into a batch; the first always does. */
export function loadOf(lane: Lane, maxMessages: number, maxBytes: number): Load {
  const sendings: Sending[] = [];
  let bytes = 0;
  while (sendings.length < maxMessages) {
    const next = lane.waiting.peek();
    if (next === undefined || (sendings.length > 0 && bytes + next.bytes > maxBytes)) break;
    lane.waiting.shift();
    lane.bytes -= next.bytes;
    bytes += next.bytes;
    sendings.push(next);
  }
  lane.busy = sendings.length > 0;
  return { lane, sendings };
}
