import type { IncomingMessage } from 'node:http';
import { HttpRefusal } from './http-refusal.ts';

/** The largest body that is read, bytes. */
const maxBodyBytes: number = 64 * 1024;

/**
 * Reads a request's JSON; undefined where there is no body.
 *
 * @throws HttpRefusal 413 where it is too large, 415 where it says it is no JSON, 400 where it is none
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const tooLarge = new HttpRefusal(413, `the body is larger than ${maxBodyBytes} bytes: send less`);
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge;
  const text = await readText(request, tooLarge);
  if (text === '') return undefined;
  const type = request.headers['content-type'] ?? 'application/json';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new HttpRefusal(415, 'the body must be JSON: send content-type application/json');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new HttpRefusal(400, 'the body is not JSON');
  }
}

/** What comes past the bound is let go, so that the sender can read the answer. */
function readText(request: IncomingMessage, tooLarge: HttpRefusal): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else reject(tooLarge);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}
