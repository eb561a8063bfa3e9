/** Starts a broker and lives on, for a test that kills this process. */
import { dirname } from 'node:path';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';

const kafka = await startKafka();
const [broker] = kafka.brokers;
process.stdout.write(`${JSON.stringify({ pid: broker?.pid, folder: dirname(broker?.logFile ?? '') })}\n`);
setInterval(() => undefined, 60_000);
