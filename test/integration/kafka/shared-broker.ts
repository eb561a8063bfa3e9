import type { TestProject } from 'vitest/node';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { missingForKafka } from '../../brokers/kafka/requirements.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the tests find Kafka, or why they do not. */
    kafka: { readonly brokers: readonly string[]; readonly missing?: string };
  }
}

/** Runs once before all tests with Kafka: starts one broker for them, unless `KAFKA_BROKERS` names some. */
export default async function shareBroker(project: TestProject): Promise<() => void | Promise<void>> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    project.provide('kafka', { brokers: given.split(',').map(address => address.trim()) });
    return () => undefined;
  }
  const missing = await missingForKafka();
  if (missing !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(`The tests with Kafka cannot run: ${missing}`);
    project.provide('kafka', { brokers: [], missing });
    return () => void process.stdout.write(`\nThe tests with Kafka were skipped. ${missing}.\n`);
  }
  const kafka = await startKafka();
  project.provide('kafka', { brokers: kafka.bootstrap });
  return () => kafka.stop();
}
