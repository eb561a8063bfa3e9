import { type TcpProxy, startProxy } from '../tcp-proxy.ts';
import { freePorts } from './node-ports.ts';
import type { Properties } from './server-properties.ts';

/**
 * A way of its own for one client into every broker, which can fail while others work: brokers tell whoever comes
 * along it only of addresses that are its own.
 */
export interface ClientLine {
  /** As host:port. */
  readonly bootstrap: readonly string[];
  /** One a broker. */
  readonly proxies: readonly TcpProxy[];
}

/** The lines, and what each broker must be told of them. */
export interface ClientLines {
  readonly lines: readonly ClientLine[];
  readonly propertiesOf: (broker: number, properties: Properties) => Properties;
}

/** So many lines into so many brokers, whose ports are chosen here. */
export async function openLines(count: number, brokers: number): Promise<ClientLines> {
  const ports = await freePorts(count * brokers);
  const portOf = (line: number, broker: number): number => ports[line * brokers + broker] ?? 0;
  const lines = await Promise.all(
    Array.from({ length: count }, async (_, line) => {
      const proxies = await Promise.all(
        Array.from({ length: brokers }, (__, broker) =>
          startProxy(() => ({ host: '127.0.0.1', port: portOf(line, broker) })),
        ),
      );
      return { proxies, bootstrap: proxies.map(({ address }) => address) };
    }),
  );
  return {
    lines,
    propertiesOf: (broker, properties) => {
      const added = (name: string, each: (line: ClientLine, index: number) => string): string =>
        [properties[name], ...lines.map(each)].filter(part => part !== undefined).join(',');
      return {
        listeners: added('listeners', (_, line) => `LINE${line}://127.0.0.1:${portOf(line, broker)}`),
        'advertised.listeners': added(
          'advertised.listeners',
          ({ proxies }, line) => `LINE${line}://${proxies[broker]?.address}`,
        ),
        'listener.security.protocol.map': added(
          'listener.security.protocol.map',
          (_, line) => `LINE${line}:PLAINTEXT`,
        ),
      };
    },
  };
}
