import { describe, inject } from 'vitest';

/** The addresses of the brokers that all tests share; each test uses topics and groups of its own. */
export function kafkaBrokers(): string[] {
  return [...inject('kafka').brokers];
}

/** A `describe` whose tests are skipped, and say why, where no Kafka can be had. */
export function describeKafka(name: string, tests: () => void): void {
  const { missing } = inject('kafka');
  describe.skipIf(missing !== undefined)(missing === undefined ? name : `${name} (${missing})`, tests);
}
