import type { TestProject } from 'vitest/node';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { missingForKafka } from '../../brokers/kafka/requirements.ts';

/** Why tests cannot have a Kafka, and whether that fails or skips them. */
interface Missing {
  readonly reason: string;
  readonly required: boolean;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The broker that all tests share. */
    sharedKafka: { readonly brokers: readonly string[]; readonly missing?: Missing };
    /** What keeps tests from starting clusters of their own. */
    ownKafka: { readonly missing?: Missing };
  }
}

/**
 * Runs once before all tests with Kafka: starts one broker for them, of `KAFKA_VERSION` where that is set, unless
 * `KAFKA_BROKERS` names some.
 */
export default async function shareBroker({ provide }: TestProject): Promise<() => void | Promise<void>> {
  const reason = await missingForKafka(process.env['KAFKA_VERSION']);
  const missing = reason === undefined ? {} : { missing: { reason, required: process.env['CI'] === 'true' } };
  provide('ownKafka', missing);
  const given = process.env['KAFKA_BROKERS'] ?? '';
  if (given !== '') provide('sharedKafka', { brokers: given.split(',').map(address => address.trim()) });
  else if (reason !== undefined) provide('sharedKafka', { brokers: [], ...missing });
  if (reason !== undefined)
    return () => void process.stdout.write(`\nNot all of Kafka was tested. ${reason}.\n`);
  if (given !== '') return () => undefined;
  try {
    const version = process.env['KAFKA_VERSION'];
    const kafka = await startKafka({
      ...(version !== undefined && { version }),
      report: what => void process.stdout.write(`Kafka for tests: ${what}\n`),
    });
    provide('sharedKafka', { brokers: kafka.bootstrap });
    return () => kafka.stop();
  } catch (error) {
    // An error from here would end the tests that need no broker too.
    provide('sharedKafka', { brokers: [], missing: { reason: String(error), required: true } });
    return () => undefined;
  }
}
