/**
 * A worker that counts the messages of each key, exactly once, until it is told to end.
 * `BROKERS DRIVER GROUP IN OUT [progress-outside]`: the last plants a bug, see there.
 */
import { once } from 'node:events';
import { KafkaBus } from '../../src/bus/kafka/kafka-bus.ts';
import { openDriver } from '../../src/bus/kafka/kafka.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import { countingPipeline } from './counting-pipeline.ts';
import { progressOutside } from './progress-outside.ts';

const [, , brokers = '', driver = '', group = '', from = '', to = '', bug] = process.argv;
// From the beginning: who is asked to end while it starts ends in order too.
const asked = once(process, 'SIGTERM');
const counting = countingPipeline(group, from, to, { guarantee: 'exactly-once' });

const bus = new KafkaBus(
  {
    brokers: brokers.split(','),
    driver: driver === 'platformatic' ? driver : 'kafkajs',
    consuming: { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 },
  },
  async settings => {
    const opened = await openDriver(settings);
    return bug === 'progress-outside' ? progressOutside(opened) : opened;
  },
);
await bus.start();
const runtime = new Runtime([counting], bus, { report: event => console.log(JSON.stringify(event)) });
await runtime.start();
await asked;
await runtime.drain(10_000);
await bus.stop();
