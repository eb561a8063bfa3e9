import type { EventBus } from '../event-bus.ts';
import { KafkaBus, type KafkaClient } from './kafka-bus.ts';
import type { KafkaDriverName, KafkaOptions } from './kafka-options.ts';

/**
 * The bus on a Kafka cluster.
 *
 * @example
 * const bus = kafkaBus({ brokers: ['127.0.0.1:9092'] });
 * await bus.start(); // BusError `unavailable` where no broker can be reached
 */
export function kafkaBus(options: KafkaOptions): EventBus {
  return new KafkaBus(options, ({ driver }) => clients[driver]);
}

/** Loaded when a bus is started and not before: who uses another backend, or driver, does not pay for it. */
const clients: Readonly<Record<KafkaDriverName, KafkaClient>> = {
  kafkajs: {
    transactions: true,
    open: async settings => (await import('./kafkajs/kafkajs-driver.ts')).KafkaJsDriver.open(settings),
  },
  platformatic: {
    transactions: false,
    open: async settings =>
      (await import('./platformatic/platformatic-driver.ts')).PlatformaticDriver.open(settings),
  },
};
