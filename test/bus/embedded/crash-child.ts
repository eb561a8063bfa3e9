import { writeSync } from 'node:fs';
import { embeddedBus } from '../../../src/bus/embedded/embedded.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { OutgoingMessage } from '../../../src/core/message.ts';
import { defaultTopicSettings } from '../../../src/core/topic.ts';

/*
 * Publishes numbered messages and consumes them in a group until it is killed. Prints `p number partition offset`
 * for what is acknowledged, and `c partition offset` for what it is about to ack.
 */
const [dir = '', first = '0', seed = '1'] = process.argv.slice(2);
const topic = 'numbers';

const bus = embeddedBus({
  dir,
  fsync: Number(seed) % 5 === 0 ? 'batch' : 'never',
  segmentBytes: 40_000,
  cacheBytes: 100_000,
});
await bus.start();
if (!(await bus.listTopics()).includes(topic)) {
  await bus.createTopic({ name: topic, settings: { ...defaultTopicSettings, partitions: 3 } });
}

let turn = 0;
bus.source(topic, { group: 'g', maxInFlight: 500, commitIntervalMs: 2 }).subscribe(delivery => {
  const { partition, offset } = delivery.message;
  // Some are never acked in their turn but come again later, so that the prefix lags behind.
  if (++turn % 17 === 0) {
    delivery[settlement].nack(3);
    return;
  }
  writeSync(1, `c ${partition} ${offset}\n`);
  delivery[settlement].ack();
});

function numbered(number: number): OutgoingMessage {
  return {
    topic,
    key: `k${number % 7}`,
    payload: Buffer.from(`${number}`.padEnd(1 + ((number * 7919) % 300), '.')),
  };
}

for (let next = Number(first); ;) {
  const batch = Array.from({ length: 1 + ((next * 31 + Number(seed)) % 60) }, (_, at) => numbered(next + at));
  const results = await bus.publishBatch(batch);
  const lines = results.map((result, at) => {
    if (!result.ok) throw result.error;
    return `p ${next + at} ${result.receipt.partition} ${result.receipt.offset}\n`;
  });
  writeSync(1, lines.join(''));
  next += batch.length;
  // Timers must have their turn.
  await new Promise(resolve => setImmediate(resolve));
}
