/** Fetches the text of an address; rejects where the answer is none. */
export type FetchText = (url: string, signal: AbortSignal) => Promise<string>;

/** Whole books in JSON are below this. */
const maxBytes = 16 * 1024 * 1024;
const timeoutMs = 10_000;

/** The machine's `fetch`, with limits: 10 s, 16 MB, status 200. */
export const fetchText: FetchText = async (url, signal) => {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> = response.body;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new Error(`${url} answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
