/**
 * A worker that counts the messages of each key, keeps the state of others warm, and tells its numbers twice a second.
 * `BROKERS DRIVER NAME IN OUT GUARANTEE`
 */
import { once } from 'node:events';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { Runtime } from '../../../src/runtime/runtime.ts';
import { countingPipeline } from '../../chaos/counting-pipeline.ts';

const [, , brokers = '', driver = '', name = '', from = '', to = '', guarantee = ''] = process.argv;
const counting = countingPipeline(name, from, to, {
  standbyBytes: 64 * 1024 ** 2,
  guarantee: guarantee === 'exactly-once' ? guarantee : 'at-least-once',
});

const bus = kafkaBus({
  brokers: brokers.split(','),
  driver: driver === 'platformatic' ? driver : 'kafkajs',
  consuming: { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 },
});
await bus.start();
const runtime = new Runtime([counting], bus, {
  snapshotIntervalMs: 500,
  worker: `worker-${process.pid}`,
  report: event => console.error(JSON.stringify(event)),
});
await runtime.start();
const numberOf = (metric: string): number => runtime.meter.sum(`stream_${metric}`);
const telling = setInterval(() => {
  const told = {
    restored: numberOf('restored_records_total'),
    warm: numberOf('standby_partitions'),
    lag: numberOf('standby_lag'),
    bytes: numberOf('standby_bytes'),
    keys: runtime.pipelines[0]?.state.sizes.get('seen') ?? 0,
  };
  console.log(JSON.stringify(told));
}, 500);
await once(process, 'SIGTERM');
clearInterval(telling);
await runtime.drain(10_000);
await bus.stop();
