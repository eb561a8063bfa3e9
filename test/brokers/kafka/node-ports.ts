import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { NodePorts } from './server-properties.ts';

/**
 * Below the ports that systems hand out by themselves (Linux from 32768, others from 49152): there, a client that
 * reconnects to a killed broker can be given the very port it calls, meet itself, and keep the broker from coming back.
 */
const lowest = 15_000;
const highest = 32_000;

/** Ports that nobody listens at; those for clients are `first` and the ones after it, where that is given. */
export async function nodePorts(count: number, first?: number): Promise<NodePorts[]> {
  const asked = first === undefined ? [] : Array.from({ length: count }, (_, at) => first + at);
  for (const port of asked) {
    if (!(await isFree(port))) throw new Error(`port ${port} of 127.0.0.1 is in use`);
  }
  const ports = [...asked, ...(await freePorts(3 * count - asked.length, asked))];
  return Array.from({ length: count }, (_, at) => {
    const [client = 0, internal = 0, controller = 0] = [at, count + at, 2 * count + at].map(
      index => ports[index],
    );
    return { client, internal, controller };
  });
}

/** So many ports that nobody listens at, none of them among those that are taken already. */
export async function freePorts(count: number, taken: readonly number[] = []): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(lowest, highest);
    if (!taken.includes(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
