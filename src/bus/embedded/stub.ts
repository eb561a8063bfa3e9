import type { EventBus } from '../event-bus.ts';
import { EmbeddedBus, type EmbeddedBusOptions } from './embedded-bus.ts';
import { MemoryStorage } from './memory-storage.ts';

/**
 * Options of the kind `stub`: `maxPartitionBytes` defaults to 512 KiB. What nobody reads makes room for what is newer; of
 * dead letters none does, and who sends more of them waits.
 */
export type StubOptions = EmbeddedBusOptions;

/** The embedded bus in memory: no disk, no trace. */
export function stubBus(options: StubOptions = {}): EventBus {
  return new EmbeddedBus('stub', new MemoryStorage(), { maxPartitionBytes: 512 * 1024, ...options });
}
