import { type EmbeddedOptions, embeddedBus } from './bus/embedded/embedded.ts';
import { type StubOptions, stubBus } from './bus/embedded/stub.ts';
import type { EventBus } from './bus/event-bus.ts';
import type { KafkaOptions } from './bus/kafka/kafka-options.ts';
import { kafkaBus } from './bus/kafka/kafka.ts';
import { BackendRegistry, type BusOptions } from './bus/registry.ts';

/** The options of the backends that come with the package. */
export type OwnBackends = { readonly stub: StubOptions } & Readonly<Record<'embedded', EmbeddedOptions>> &
  Readonly<Record<'kafka', KafkaOptions>>;

/** The backends that come with the package; `backends.with(kind, factory)` adds others. */
export const backends: BackendRegistry<OwnBackends> = BackendRegistry.empty
  .with('stub', stubBus)
  .with('embedded', embeddedBus)
  .with('kafka', kafkaBus);

/**
 * Makes a bus of one of our kinds; start it before use.
 *
 * @example
 * const bus = createEventBus({ kind: 'stub' });
 * await bus.start();
 */
export const createEventBus: (options: BusOptions<OwnBackends>) => EventBus = backends.create;
