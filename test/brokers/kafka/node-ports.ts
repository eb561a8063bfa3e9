import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { NodePorts } from './server-properties.ts';

/**
 * Below the ports that systems hand out by themselves (Linux from 32768, others from 49152): there, a client that
 * reconnects to a killed broker can be given the very port it calls, meet itself, and keep the broker from coming back.
 */
const lowest = 15_000;
const highest = 32_000;

/**
 * Each process takes from a part of its own: between the moment that a port is found free and the one that a broker
 * listens at it lie seconds, in which a cluster beside it may find the same.
 */
const partSize = 1_000;
const ownLowest = lowest + partSize * (process.pid % ((highest - lowest) / partSize));
/** What this process has found, whether or not somebody listens there by now. */
const found = new Set<number>();

/** Ports that nobody listens at; those for clients are `first` and the ones after it, where that is given. */
export async function nodePorts(count: number, first?: number): Promise<NodePorts[]> {
  const asked = first === undefined ? [] : Array.from({ length: count }, (_, at) => first + at);
  for (const port of asked) {
    if (!(await isFree(port))) throw new Error(`port ${port} of 127.0.0.1 is in use`);
    found.add(port);
  }
  const ports = [...asked, ...(await freePorts(3 * count - asked.length))];
  return Array.from({ length: count }, (_, at) => {
    const [client = 0, internal = 0, controller = 0] = [at, count + at, 2 * count + at].map(
      index => ports[index],
    );
    return { client, internal, controller };
  });
}

/** So many ports that nobody listens at, and that were not asked for before. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(ownLowest, ownLowest + partSize);
    if (found.has(port)) continue;
    if (found.size >= partSize / 2) found.clear();
    found.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
