import { writeSync } from 'node:fs';
import { openSegmentLog } from '../../src/log/segment-log.ts';

/** Appends until it is killed; prints the next offset after every batch that was stored. */
const log = openSegmentLog(process.argv[2] ?? '', { segmentBytes: 200_000 });
const size = (offset: number): number => 1 + ((offset * 7919) % 900);
for (let offset = log.nextOffset; ;) {
  const batch = Array.from({ length: 1 + (offset % 50) }, (_, at) => ({
    offset: offset + at,
    time: offset + at,
    body: Buffer.alloc(size(offset + at), `${offset + at},`),
  }));
  log.append(batch);
  offset += batch.length;
  writeSync(1, `${offset}\n`);
}
