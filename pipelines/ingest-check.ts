import type { Message } from '../src/index.ts';

const maxAheadMs = 5 * 60_000;

/** The header that tells when a feed received what it wrote, ms since the epoch. */
const ingestTimeHeader = 'ingest-time';

/** Market data from the future is refused: more than five minutes ahead of when the feed received it. */
export function aheadOfIngest({ time }: { readonly time: number }, { headers }: Message): string | undefined {
  const ingested = headers.get(ingestTimeHeader);
  if (ingested === undefined) return undefined;
  const ahead = time - Number(ingested);
  if (Number.isNaN(ahead)) return `its ${ingestTimeHeader} "${ingested}" is no time in milliseconds`;
  return ahead > maxAheadMs
    ? `its time ${time} is ${ahead} ms ahead of its ingest time ${ingested}`
    : undefined;
}
