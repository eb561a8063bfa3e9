import { Kafka, logLevel, type Admin, type KafkaConfig } from 'kafkajs';
import { onTestFinished } from 'vitest';

/** Connected until the test ends. */
export async function adminOf(brokers: readonly string[], config: Partial<KafkaConfig> = {}): Promise<Admin> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, ...config });
  const admin = kafka.admin();
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  return admin;
}
