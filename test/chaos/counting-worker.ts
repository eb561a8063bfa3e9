/**
 * A worker that counts the messages of each key, exactly once, until it is told to end.
 * `BROKERS DRIVER GROUP IN OUT [progress-outside]`: the last plants a bug, see there.
 */
import { once } from 'node:events';
import * as t from 'io-ts';
import { decode } from '../../operators/decode.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { scanByKey } from '../../operators/scan-by-key.ts';
import { KafkaBus } from '../../src/bus/kafka/kafka-bus.ts';
import { openDriver } from '../../src/bus/kafka/kafka.ts';
import { jsonCodec } from '../../src/core/codec.ts';
import { jsonState } from '../../src/core/state.ts';
import { topic } from '../../src/core/topic.ts';
import { pipeline } from '../../src/runtime/pipeline.ts';
import { Runtime } from '../../src/runtime/runtime.ts';
import { progressOutside } from './progress-outside.ts';

const [, , brokers = '', driver = '', group = '', from = '', to = '', bug] = process.argv;
const numbers = topic(from, jsonCodec(t.number));
const counts = topic(to, jsonCodec(t.type({ number: t.number, count: t.number })));

const counting = pipeline(
  group,
  ({ source, publisher, state, onFailure }) =>
    source(numbers).pipe(
      decode(numbers),
      scanByKey((seen, number) => [{ number, count: ++seen.count }], {
        name: 'seen',
        state,
        seed: () => ({ count: 0 }),
        codec: jsonState('1', t.type({ count: t.number })),
      }),
      publishTo(counts, publisher),
      onFailure(),
    ),
  { guarantee: 'exactly-once' },
);

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
await once(process, 'SIGTERM');
await runtime.drain(10_000);
await bus.stop();
