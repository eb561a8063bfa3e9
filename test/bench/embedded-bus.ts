import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subscription } from 'rxjs';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { settlement } from '../../src/core/delivery.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';

/*
 * Messages a second from publish to consumed, in batches of 256 with 200 bytes each over 12 partitions:
 * node --max-semi-space-size=16 test/bench/embedded-bus.ts [stub|embedded] [never|interval|batch] [messages]
 */
const [kind = 'embedded', fsync = 'never', count = '2000000'] = process.argv.slice(2);
const total = Number(count);
const batchSize = 256;
const topic = 'bench';

const isPolicy = (text: string): text is 'never' | 'interval' | 'batch' =>
  ['never', 'interval', 'batch'].includes(text);

function busIn(dir: string): EventBus {
  if (kind === 'stub') return createEventBus({ kind: 'stub' });
  if (!isPolicy(fsync)) throw new RangeError(`fsync ${fsync}: use never, interval or batch`);
  return createEventBus({ kind: 'embedded', dir, fsync });
}

/** Batches to send over and over, so that making them does not count. */
const batches = Array.from({ length: 64 }, (_, at) => batchFrom(at * batchSize));

function batchFrom(first: number): OutgoingMessage[] {
  return Array.from({ length: batchSize }, (_, at) => ({
    topic,
    key: `SYM${(first + at) % 500}-USD`,
    payload: new Uint8Array(200).fill(0x61),
    timestamp: first + at,
  }));
}

function consume(bus: EventBus, done: () => void): Subscription {
  let seen = 0;
  return bus.source(topic, { group: 'bench' }).subscribe(delivery => {
    delivery[settlement].ack();
    if (++seen === total) done();
  });
}

async function publishAll(bus: EventBus): Promise<void> {
  for (let first = 0; first < total; first += batchSize) {
    const batch = batches[(first / batchSize) % batches.length] ?? [];
    const results = await bus.publishBatch(batch.slice(0, total - first));
    const refused = results.find(result => !result.ok);
    if (refused && !refused.ok) throw refused.error;
  }
}

/** By the clock, and by the processor's time of all threads: the latter holds where others use the machine too. */
function stopwatch(): (what: string) => void {
  const begun = performance.now();
  const used = process.cpuUsage();
  const rate = (seconds: number): string => Math.round(total / seconds).toLocaleString('en');
  return what => {
    const { user, system } = process.cpuUsage(used);
    const seconds = (performance.now() - begun) / 1000;
    const cpu = (user + system) / 1e6;
    const rss = Math.round(process.memoryUsage().rss / 1024 ** 2);
    console.log(
      `${kind} ${fsync} ${what}: ${rate(seconds)} messages/s, ${rate(cpu)} a processor second, rss ${rss} MB`,
    );
  };
}

const dir = mkdtempSync(join(tmpdir(), 'bench-bus-'));
const bus = busIn(dir);
await bus.start();
await bus.createTopic({ name: topic, settings: { ...defaultTopicSettings, partitions: 12 } });
try {
  const together = Promise.withResolvers<undefined>();
  const report = stopwatch();
  const subscription = consume(bus, () => together.resolve(undefined));
  await publishAll(bus);
  await together.promise;
  report('publish to consume');
  subscription.unsubscribe();
  if (kind === 'embedded') {
    let replayed = 0;
    const reportReplay = stopwatch();
    bus.source(topic, { untilEnd: true }).subscribe(delivery => {
      replayed++;
      delivery[settlement].ack();
    });
    if (replayed !== total) throw new Error(`replayed ${replayed} of ${total}`);
    reportReplay('replay');
  }
} finally {
  await bus.stop();
  rmSync(dir, { recursive: true });
}
