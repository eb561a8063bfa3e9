import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
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
  /** @param due when the batch was to be sent, ms of `performance.now()` */
  readonly send: (batch: readonly OutgoingMessage[], due: number) => void | Promise<void>;
  /** @param seen to be told of each message; with its `due` where messages may overtake each other */
  readonly onMessage: (seen: (due?: number) => void) => void;
}

/** Batches to send over and over, so that making them does not count. */
function makeBatches(size: number): readonly (readonly OutgoingMessage[])[] {
  return Array.from({ length: 16 }, (_, at) =>
    Array.from({ length: size }, (_, i) => ({
      topic,
      key: `SYM${(at * size + i) % 500}-USD`,
      payload: new Uint8Array(payloadBytes).fill(0x61),
      timestamp: at * size + i,
    })),
  );
}

/** As fast as it goes, batch after batch. */
export async function flood(pipe: Pipe, messages: number, { smoke }: Effort): Promise<Measured> {
  const batches = makeBatches(batchSize);
  let seen = 0;
  pipe.onMessage(() => {
    seen++;
  });
  const sendAll = async (total: number): Promise<void> => {
    for (let sent = 0; sent < total; sent += batchSize) {
      await pipe.send(batches[(sent / batchSize) % batches.length] ?? [], 0);
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

/** How a paced load is given, and how it arrives. */
export interface Pace {
  /** Messages that are due together; default 256. */
  readonly batchSize?: number;
  /** How long the last ones may be under way, ms; default 0: all have arrived when the last was sent. */
  readonly arriveWithinMs?: number;
  /** How long to send without measuring first, seconds; default 1. */
  readonly warmUpSeconds?: number;
}

/** So many messages a second; each is timed from when its batch was due, not from when it left. */
export async function paced(
  pipe: Pipe,
  perSecond: number,
  { smoke }: Effort,
  { batchSize: size = batchSize, arriveWithinMs = 0, warmUpSeconds = 1 }: Pace = {},
): Promise<Measured> {
  const batches = makeBatches(size);
  const latencies = new Latencies();
  const batchMs = (size / perSecond) * 1000;
  const seconds = smoke ? 0.2 : 5;
  // Whoever waits for others lets them work: a broker may be on the same cores.
  const untilDue = arriveWithinMs === 0 ? nextTurn : (): Promise<unknown> => wait(1);
  let [seen, due] = [0, 0];
  let recording = false;
  pipe.onMessage((itsDue = due) => {
    seen++;
    if (recording) latencies.record(performance.now() - itsDue);
  });
  const sendAll = async (messages: number): Promise<void> => {
    seen = 0;
    const begun = performance.now();
    for (let batch = 0; batch * size < messages; batch++) {
      due = begun + batch * batchMs;
      while (performance.now() < due) await untilDue();
      await pipe.send(batches[batch % batches.length] ?? [], due);
    }
    const until = performance.now() + arriveWithinMs;
    while (seen < messages && performance.now() < until) await untilDue();
    requireAll(seen, messages);
  };
  const messagesIn = (time: number): number => Math.ceil((perSecond * time) / size) * size;
  await sendAll(messagesIn(smoke ? seconds : warmUpSeconds));
  recording = true;
  const lap = stopwatch();
  await sendAll(messagesIn(seconds));
  return { ...lap(messagesIn(seconds)), latency: latencies.percentiles };
}

function wholeBatches(messages: number): number {
  return Math.ceil(messages / batchSize) * batchSize;
}

/** More may come than was sent, where a group is shared out anew meanwhile. */
function requireAll(seen: number, sent: number): void {
  if (seen < sent) throw new Error(`${seen} of ${sent} messages arrived`);
}
