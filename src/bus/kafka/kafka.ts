import type { EventBus } from '../event-bus.ts';
import { KafkaBus } from './kafka-bus.ts';
import type { KafkaOptions } from './kafka-options.ts';

/**
 * The bus on a Kafka cluster.
 *
 * @example
 * const bus = kafkaBus({ brokers: ['127.0.0.1:9092'] });
 * await bus.start(); // BusError `unavailable` where no broker can be reached
 */
export function kafkaBus(options: KafkaOptions): EventBus {
  return new KafkaBus(options, async settings => {
    const { KafkaJsDriver } = await import('./kafkajs/kafkajs-driver.ts');
    return KafkaJsDriver.open(settings);
  });
}
