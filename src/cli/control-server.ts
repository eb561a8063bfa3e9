import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { RunningWorker } from '../worker/worker-options.ts';
import { removeControlFile, writeControlFile } from './control-file.ts';
import { queries } from './queries.ts';

const Body = t.type({ args: t.array(t.string) });

/**
 * Answers the questions of commands beside a running worker, and leaves word of its address in the data folder;
 * returns the way to stop.
 */
export function serveQueries({ bus, runtime, http }: RunningWorker, folder: string): () => void {
  for (const [name, query] of Object.entries(queries)) {
    http.control(name, body => {
      const decoded = Body.decode(body);
      if (isLeft(decoded)) throw new RangeError('the body must be {"args": [texts]}');
      return query(bus, decoded.right.args, runtime);
    });
  }
  writeControlFile(folder, { pid: process.pid, url: http.url, token: http.token });
  return () => removeControlFile(folder);
}
