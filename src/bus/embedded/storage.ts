import type { Bytes, Message } from '../../core/message.ts';
import type { TopicSettings } from '../../core/topic.ts';

/** What one partition stores: an append-only run of messages with ascending offsets. */
export interface PartitionStore {
  /** The offset of the first message kept; equal to `nextOffset` when there is none. */
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly bytes: number;
  /** The payload as the store keeps it in memory; default: as it is. */
  hold?(payload: Bytes): Bytes;
  /** Stores all of them, or none. @throws BusError `storage` */
  append(messages: readonly Message[]): void;
  /** Messages from this offset on, at most `max`; fewer, but at least one, where there are any. */
  read(from: number, max: number): readonly Message[];
  /** The first offset whose log time is at or after the time. */
  offsetAtTime(logTime: number): number;
  /** Forgets what lies below the offset, as far as the store can do so cheaply. */
  dropBefore(offset: number): void;
  /** Keeps the newest message of each key among those below the offset. */
  compact(below: number): void;
  close(): void;
}

/** Small facts that outlive a restart, by name: the topics' settings, the groups' offsets. */
export interface Ledger {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  delete(name: string): void;
  names(): readonly string[];
  /** Makes what was set durable. @throws BusError `storage`; what was set is then still to be flushed */
  flush(): void;
}

/** The port behind which the embedded bus keeps what it is told. */
export interface Storage {
  readonly durable: boolean;
  /** Nothing may be changed; default false. */
  readonly readOnly?: boolean;
  /** What is wrong with what is stored, in words; default: nothing. */
  readonly problems?: readonly string[];
  open(): void;
  close(): void;
  readonly ledger: Ledger;
  partition(topic: string, partition: number, settings: TopicSettings): PartitionStore;
  deleteTopic(topic: string): void;
}
