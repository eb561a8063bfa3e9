import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { createEventBus } from '../backends.ts';
import type { EventBus } from '../bus/event-bus.ts';
import { busOf, startReachable } from './backend-bus.ts';
import { CliError } from './cli-error.ts';
import { type ControlAddress, readControlFile } from './control-file.ts';
import { RedriveJobs } from './dlq/redrive-jobs.ts';
import type { Place } from './place.ts';
import { queries } from './queries.ts';
import { wrongInputStatus } from './wrong-input.ts';

const timeoutMs = 10_000;
const Refusal = t.type({ error: t.string });

/** Where a command puts its questions. */
export interface Connection {
  readonly ask: (name: string, args: readonly string[]) => Promise<unknown>;
  /** The process that answers; undefined where the place is open in this one. */
  readonly pid: number | undefined;
  readonly close: () => Promise<void>;
}

export interface ConnectOptions {
  /** Whether a folder is opened for changing it, where no process runs on it; default false. */
  readonly writable?: boolean;
}

/** Opens a cluster; of a folder reaches the process that runs on it, else opens it. */
export async function connect(place: Place, options: ConnectOptions = {}): Promise<Connection> {
  if (place.kind === 'folder') {
    const running = readControlFile(place.dir);
    if (running) return toProcess(running);
  }
  return toBus(await openPlace(place, options));
}

/** The bus at a place, started. */
export async function openPlace(place: Place, { writable = false }: ConnectOptions): Promise<EventBus> {
  if (place.kind === 'cluster') {
    const bus = busOf(place.settings);
    await startReachable(bus);
    return bus;
  }
  const bus = createEventBus({ kind: 'embedded', dir: place.dir, readOnly: !writable });
  await bus.start();
  return bus;
}

function toProcess(address: ControlAddress): Connection {
  return {
    pid: address.pid,
    ask: (name, args) => askProcess(address, name, args),
    close: () => Promise.resolve(),
  };
}

async function askProcess(
  { url, token, pid }: ControlAddress,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  const response = await fetch(`${url}/control/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ args }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    const text = cause instanceof Error && cause.name === 'TimeoutError' ? 'does not answer' : 'has ended';
    throw new CliError(1, `process ${pid}, which ran on the folder, ${text}: try again`, { cause });
  });
  if (response.ok) return response.json();
  const text = await response.text();
  if (response.status === wrongInputStatus) throw new CliError(2, wordsOf(text));
  throw new CliError(1, `the running process answered ${response.status}: ${text}`);
}

function wordsOf(text: string): string {
  const refusal = Refusal.decode(JSON.parse(text));
  return isLeft(refusal) ? text : refusal.right.error;
}

function toBus(bus: EventBus): Connection {
  const jobs = new RedriveJobs(bus);
  const all = { ...queries, ...jobs.queries };
  return {
    pid: undefined,
    ask: async (name, args) => {
      const query = all[name];
      if (query === undefined) throw new CliError(2, `there is no query "${name}"`);
      return query(bus, args, undefined);
    },
    close: async () => {
      await jobs.stop();
      await bus.stop();
    },
  };
}
