import { beforeEach, describe, inject } from 'vitest';
import type { KafkaDriverName } from '../../../src/bus/kafka/kafka-options.ts';

/** What each behaviour is tested on. */
export const drivers: readonly KafkaDriverName[] = ['kafkajs', 'platformatic'];

/** Takes every driver through the same at the same time, as where brokers come and go, which takes them seconds. */
export function onEach<A>(work: (driver: KafkaDriverName) => Promise<A>): Promise<readonly A[]> {
  return Promise.all(drivers.map(work));
}

/** The addresses of the brokers that all tests share; each test uses topics and groups of its own. */
export function kafkaBrokers(): string[] {
  return [...inject('sharedKafka').brokers];
}

/** A `describe` whose tests are skipped, and say why, where no Kafka can be had; where one is required, they fail. */
export function describeKafka(name: string, tests: () => void): void {
  describeUnless(inject('sharedKafka').missing, name, tests);
}

/** The same for tests that start clusters of their own, which `KAFKA_BROKERS` is no help for. */
export function describeOwnKafka(name: string, tests: () => void): void {
  describeUnless(inject('ownKafka').missing, name, tests);
}

function describeUnless(
  missing: { readonly reason: string; readonly required: boolean } | undefined,
  name: string,
  tests: () => void,
): void {
  if (missing === undefined) {
    describe(name, tests);
  } else if (missing.required) {
    describe(name, () => {
      beforeEach(() => {
        throw new Error(missing.reason);
      });
      tests();
    });
  } else {
    describe.skip(`${name} (${missing.reason})`, tests);
  }
}
