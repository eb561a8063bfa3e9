import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { BusError } from '../core/publisher.ts';
import { HttpRefusal } from '../worker/http-refusal.ts';
import type { RunningWorker } from '../worker/worker-options.ts';
import { CliError } from './cli-error.ts';
import { removeControlFile, writeControlFile } from './control-file.ts';
import { RedriveJobs } from './dlq/redrive-jobs.ts';
import { queries } from './queries.ts';
import { wrongInputStatus } from './wrong-input.ts';

const Body = t.type({ args: t.array(t.string) });

/**
 * Answers the questions of commands beside a running worker, and leaves word of its address in the data folder;
 * returns the way to stop.
 */
export function serveQueries({ bus, runtime, http }: RunningWorker, folder: string): () => Promise<void> {
  const jobs = new RedriveJobs(bus);
  for (const [name, query] of Object.entries({ ...queries, ...jobs.queries })) {
    http.control(name, async body => {
      const decoded = Body.decode(body);
      if (isLeft(decoded)) throw new RangeError('the body must be {"args": [texts]}');
      return query(bus, decoded.right.args, runtime).catch(refuse);
    });
  }
  writeControlFile(folder, { pid: process.pid, url: http.url, token: http.token });
  return async () => {
    removeControlFile(folder);
    await jobs.stop();
  };
}

/** What is wrong with the question goes to who asked; the rest is the worker's to log. */
function refuse(error: unknown): never {
  if (error instanceof BusError || error instanceof CliError) {
    throw new HttpRefusal(wrongInputStatus, error.message);
  }
  throw error;
}
