import type { EventBus } from '../event-bus.ts';
import type { KafkaDriver } from './driver.ts';
import { KafkaBus } from './kafka-bus.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { KafkaSettings } from './kafka-settings.ts';

/**
 * The bus on a Kafka cluster.
 *
 * @example
 * const bus = kafkaBus({ brokers: ['127.0.0.1:9092'] });
 * await bus.start(); // BusError `unavailable` where no broker can be reached
 */
export function kafkaBus(options: KafkaOptions): EventBus {
  return new KafkaBus(options, openDriver);
}

/** Loaded when a bus is started and not before: who uses another backend, or driver, does not pay for it. */
export async function openDriver(settings: KafkaSettings): Promise<KafkaDriver> {
  switch (settings.driver) {
    case 'kafkajs':
      return (await import('./kafkajs/kafkajs-driver.ts')).KafkaJsDriver.open(settings);
    case 'platformatic':
      return (await import('./platformatic/platformatic-driver.ts')).PlatformaticDriver.open(settings);
  }
}
