import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import type { Benchmark, Effort, Measured, Work } from './benchmark.ts';
import { stopwatch } from './stopwatch.ts';

const batchSize = 256;
const body = new Uint8Array(200).fill(0x61);

/** How many records of 200 bytes: 200 MB, or what shows that it works. */
const recordsFor = ({ smoke }: Effort): number => (smoke ? 40 : 4000) * batchSize;

function batchAt(offset: number): { offset: number; time: number; body: Uint8Array }[] {
  return Array.from({ length: batchSize }, (_, at) => ({ offset: offset + at, time: offset, body }));
}

/** In a folder of its own, after what is not to be measured. */
function inFolder(prepare: (folder: string, records: number) => void, work: typeof prepare): Work {
  return effort => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
    try {
      const records = recordsFor(effort);
      prepare(folder, records);
      const lap = stopwatch();
      work(folder, records);
      return lap(records);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

function append(folder: string, records: number): void {
  const log = openSegmentLog(folder);
  for (let offset = 0; offset < records; offset += batchSize) log.append(batchAt(offset));
  log.close();
}

function readAll(folder: string, records: number): void {
  const log = openSegmentLog(folder, { readOnly: true });
  let count = 0;
  for (let batch = log.read(0, batchSize); batch.length > 0; batch = log.read(count, batchSize)) {
    count += batch.length;
  }
  log.close();
  if (count !== records) throw new Error(`read ${count} of ${records} records`);
}

function withoutIndexes(folder: string, records: number): void {
  append(folder, records);
  for (const name of readdirSync(folder)) if (name.endsWith('.index')) rmSync(join(folder, name));
}

const reopen = (folder: string): void => openSegmentLog(folder).close();

/** The batches alone, as they are made for `append`. */
const inMemory = (effort: Effort): Measured => {
  const records = recordsFor(effort);
  const lap = stopwatch();
  const log: unknown[] = [];
  for (let offset = 0; offset < records; offset += batchSize) log.push(...batchAt(offset));
  return lap(log.length);
};

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'segment log, append',
    subject: inFolder(() => undefined, append),
    twin: { name: 'array', work: inMemory },
  },
  { name: 'segment log, read', subject: inFolder(append, readAll) },
  { name: 'segment log, open', subject: inFolder(append, reopen) },
  { name: 'segment log, open without index', subject: inFolder(withoutIndexes, reopen) },
];
