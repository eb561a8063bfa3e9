import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentLog } from '../../src/log/segment-log.ts';

/*
 * Records a second for append and read, and seconds to open a log of 1 GB:
 * node test/bench/segment-log.ts [records, default 4,800,000 of 200 bytes]
 */
const total = Number(process.argv[2] ?? 4_800_000);
const batchSize = 256;
const bodyBytes = 200;

function seconds(work: () => void): number {
  const begun = performance.now();
  work();
  return (performance.now() - begun) / 1000;
}

function report(what: string, took: number, records?: number): void {
  const rate = records === undefined ? '' : `, ${Math.round(records / took).toLocaleString('en')} records/s`;
  console.log(`${what}: ${took.toFixed(2)} s${rate}`);
}

function append(folder: string): void {
  const log = openSegmentLog(folder);
  const body = new Uint8Array(bodyBytes).fill(0x61);
  for (let offset = 0; offset < total; offset += batchSize)
    log.append(Array.from({ length: batchSize }, (_, at) => ({ offset: offset + at, time: offset, body })));
  log.close();
}

function read(folder: string): number {
  const log = openSegmentLog(folder, { readOnly: true });
  let next = log.firstOffset;
  let count = 0;
  for (let records = log.read(next, batchSize); records.length > 0; records = log.read(next, batchSize)) {
    next = (records.at(-1)?.offset ?? 0) + 1;
    count += records.length;
  }
  log.close();
  return count;
}

function tail(folder: string): void {
  const log = openSegmentLog(folder);
  const body = new Uint8Array(bodyBytes).fill(0x61);
  for (let offset = 0; offset < total / 4; offset += batchSize) {
    log.append(Array.from({ length: batchSize }, (_, at) => ({ offset: offset + at, time: offset, body })));
    if (log.read(offset, batchSize).length !== batchSize) throw new Error('a batch is missing');
  }
  log.close();
}

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

inFolder(folder =>
  report(
    'append',
    seconds(() => append(folder)),
    total,
  ),
);
inFolder(folder => {
  report(
    'append, warm',
    seconds(() => append(folder)),
    total,
  );
  let count = 0;
  report(
    'read',
    seconds(() => (count = read(folder))),
    total,
  );
  if (count !== total) throw new Error(`read ${count} of ${total}`);
  report(
    'open with index files',
    seconds(() => openSegmentLog(folder).close()),
  );
  for (const name of readdirSync(folder)) if (name.endsWith('.index')) rmSync(join(folder, name));
  report(
    'open with a full scan',
    seconds(() => openSegmentLog(folder).close()),
    total,
  );
});
inFolder(folder =>
  report(
    'append and read back at once',
    seconds(() => tail(folder)),
    total / 4,
  ),
);
