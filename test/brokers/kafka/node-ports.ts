import { type Server, createServer } from 'node:net';
import type { NodePorts } from './server-properties.ts';

/**
 * Below the ports that systems hand out by themselves (Linux from 32768, others from 49152, sandboxes from 16000): there,
 * a client that reconnects to a killed broker can be given the very port it calls, meet itself, and keep the broker from
 * coming back.
 */
const lowest = 10_000;
const highest = 15_999;

/**
 * Each process takes from parts of its own: between the moment that a port is found free and the one that a broker listens
 * at it lie seconds, in which a cluster of another process may find the same; and one that was killed comes back to its.
 */
const partSize = 100;
/** What is left of the parts that this process has. */
const untried: number[] = [];
/** What was asked for by its number. */
const given = new Set<number>();

/** Ports that nobody listens at; those for clients are `first` and the ones after it, where that is given. */
export async function nodePorts(count: number, first?: number): Promise<NodePorts[]> {
  const asked = first === undefined ? [] : Array.from({ length: count }, (_, at) => first + at);
  for (const port of asked) {
    if (!(await isFree(port))) throw new Error(`port ${port} of 127.0.0.1 is in use`);
    given.add(port);
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
    const port = untried.pop();
    if (port === undefined) await claimPart();
    else if (!given.has(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

let claiming: Promise<void> | undefined;

/** Takes a part that no process has: who listens at the first port of it has it for as long as the process lives. */
function claimPart(): Promise<void> {
  claiming ??= claimAnyPart().finally(() => (claiming = undefined));
  return claiming;
}

async function claimAnyPart(): Promise<void> {
  for (let first = lowest; first < highest; first += partSize) {
    const guard = await listening(first);
    if (guard === undefined) continue;
    guard.unref();
    untried.push(...Array.from({ length: partSize - 1 }, (_, at) => first + partSize - 1 - at));
    return;
  }
  throw new Error(
    `other processes have all ports from ${lowest} to ${highest} of 127.0.0.1 that are for brokers`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server === undefined) return false;
  await new Promise(resolve => server.close(resolve));
  return true;
}

/** Undefined where somebody else listens there. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise(resolve => {
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
