import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OutgoingMessage } from '../../src/core/message.ts';
import type { Effort, Measured } from './benchmark.ts';
import { Latencies } from './latencies.ts';
import { stopwatch } from './stopwatch.ts';

export const topic = 'bench';
export const partitions = 12;
const batchSize = 256;
const payloadBytes = 200;

/** Something that takes batches; the messages arrive at whoever was given to `onMessage`. */
export interface Pipe {
  readonly send: (batch: readonly OutgoingMessage[]) => void | Promise<void>;
  readonly onMessage: (seen: () => void) => void;
}

/** Batches to send over and over, so that making them does not count. */
function makeBatches(): readonly (readonly OutgoingMessage[])[] {
  return Array.from({ length: 16 }, (_, at) =>
    Array.from({ length: batchSize }, (_, i) => ({
      topic,
      key: `SYM${(at * batchSize + i) % 500}-USD`,
      payload: new Uint8Array(payloadBytes).fill(0x61),
      timestamp: at * batchSize + i,
    })),
  );
}

/** As fast as it goes, batch after batch. */
export async function flood(pipe: Pipe, messages: number, { smoke }: Effort): Promise<Measured> {
  const batches = makeBatches();
  let seen = 0;
  pipe.onMessage(() => {
    seen++;
  });
  const sendAll = async (total: number): Promise<void> => {
    for (let sent = 0; sent < total; sent += batchSize) {
      await pipe.send(batches[(sent / batchSize) % batches.length] ?? []);
    }
  };
  const total = wholeBatches(smoke ? messages / 20 : messages);
  await sendAll(wholeBatches(total / 5));
  requireAll(seen, wholeBatches(total / 5));
  seen = 0;
  const lap = stopwatch();
  await sendAll(total);
  requireAll(seen, total);
  return lap(total);
}

/** So many messages a second; each is timed from when its batch was due, not from when it left. */
export async function paced(pipe: Pipe, perSecond: number, { smoke }: Effort): Promise<Measured> {
  const batches = makeBatches();
  const latencies = new Latencies();
  const batchMs = (batchSize / perSecond) * 1000;
  const total = wholeBatches(perSecond * (smoke ? 0.2 : 5));
  let seen = 0;
  let due = 0;
  let recording = false;
  pipe.onMessage(() => {
    seen++;
    if (recording) latencies.record(performance.now() - due);
  });
  const sendAll = async (messages: number): Promise<void> => {
    const begun = performance.now();
    for (let batch = 0; batch * batchSize < messages; batch++) {
      due = begun + batch * batchMs;
      while (performance.now() < due) await nextTurn();
      await pipe.send(batches[batch % batches.length] ?? []);
    }
  };
  await sendAll(wholeBatches(total / 5));
  [seen, recording] = [0, true];
  const lap = stopwatch();
  await sendAll(total);
  requireAll(seen, total);
  return { ...lap(total), latency: latencies.percentiles };
}

function wholeBatches(messages: number): number {
  return Math.ceil(messages / batchSize) * batchSize;
}

function requireAll(seen: number, sent: number): void {
  if (seen !== sent) throw new Error(`${seen} of ${sent} messages arrived`);
}
