import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { settlement } from '../../src/core/delivery.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import type { Benchmark, Effort, Measured, Work } from './benchmark.ts';
import { type Pipe, flood, paced, partitions, topic } from './bus-load.ts';
import { stopwatch } from './stopwatch.ts';

const mebibyte = 1024 ** 2;
const floodMessages = 2_000_000;
const pacedPerSecond = 200_000;

/** In memory, with a log of 12 MiB: what it holds is not what it costs. */
const memory = (): EventBus => createEventBus({ kind: 'stub', maxPartitionBytes: mebibyte });

async function onBus(
  bus: EventBus,
  measure: (pipe: Pipe, bus: EventBus) => Promise<Measured>,
): Promise<Measured> {
  await bus.start();
  try {
    await bus.createTopic({ name: topic, settings: { ...defaultTopicSettings, partitions } });
    let tell = (): void => undefined;
    bus.source(topic, { group: 'bench' }).subscribe(delivery => {
      delivery[settlement].ack();
      tell();
    });
    const send = async (batch: readonly OutgoingMessage[]): Promise<void> => {
      for (const result of await bus.publishBatch(batch)) if (!result.ok) throw result.error;
    };
    return await measure({ send, onMessage: seen => (tell = seen) }, bus);
  } finally {
    await bus.stop();
  }
}

async function inFolder(
  fsync: 'never' | 'batch',
  measure: (pipe: Pipe, bus: EventBus) => Promise<Measured>,
): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-bus-'));
  try {
    return await onBus(createEventBus({ kind: 'embedded', dir, fsync }), measure);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What a folder holds, delivered again from the beginning, for the most part from the disk. */
async function replay(bus: EventBus, pipe: Pipe, effort: Effort): Promise<Measured> {
  const { messages } = await flood(pipe, floodMessages / 4, effort);
  const lap = stopwatch();
  let replayed = 0;
  const ended = new Promise((resolve, reject) => {
    bus.source(topic, { untilEnd: true }).subscribe({
      next: delivery => {
        replayed++;
        delivery[settlement].ack();
      },
      error: reject,
      complete: () => resolve(undefined),
    });
  });
  await ended;
  if (replayed < messages) throw new Error(`${replayed} of ${messages} messages came again`);
  return lap(replayed);
}

/** The same batches through a Subject. */
function bare(): Pipe {
  const subject = new Subject<OutgoingMessage>();
  let tell = (): void => undefined;
  subject.subscribe(() => tell());
  const send = async (batch: readonly OutgoingMessage[]): Promise<void> => {
    for (const message of batch) subject.next(message);
    await Promise.resolve();
  };
  return { send, onMessage: seen => (tell = seen) };
}

const bareFlood: NonNullable<Benchmark['twin']> = {
  name: 'Subject',
  work: effort => flood(bare(), floodMessages * 10, effort),
};
const folderFlood =
  (fsync: 'never' | 'batch', messages: number): Work =>
  effort =>
    inFolder(fsync, pipe => flood(pipe, messages, effort));

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'bus in memory',
    goal: { perSecond: 1_000_000, rss: 64 + 12 },
    subject: effort => onBus(memory(), pipe => flood(pipe, floodMessages, effort)),
    twin: bareFlood,
  },
  {
    name: 'bus in memory, 200k/s',
    goal: { p99: 1 },
    subject: effort => onBus(memory(), pipe => paced(pipe, pacedPerSecond, effort)),
    twin: { name: 'Subject', work: effort => paced(bare(), pacedPerSecond, effort) },
  },
  {
    name: 'bus in a folder',
    goal: { perSecond: 500_000 },
    subject: folderFlood('never', floodMessages),
    twin: bareFlood,
  },
  {
    name: 'bus in a folder, fsync a batch',
    subject: folderFlood('batch', floodMessages / 20),
    twin: bareFlood,
  },
  {
    name: 'bus in a folder, read again',
    subject: effort => inFolder('never', (pipe, bus) => replay(bus, pipe, effort)),
  },
];
