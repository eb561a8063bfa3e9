import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';

/** What stands between clients and a broker, and can fail as networks do. */
export interface TcpProxy {
  /** As host:port. */
  readonly address: string;
  readonly port: number;
  /** Nothing passes from now on, and nobody is told: connections stay open, new ones are accepted, bytes vanish. */
  stall(): void;
  /** Nothing passes any more over the connections that are open now, and nobody is told; new ones pass. */
  forsake(): void;
  /** What clients say passes, and what the broker answers vanishes. */
  mute(): void;
  /** Ends every connection, and refuses to serve new ones. */
  cut(): void;
  /** What clients say next over the connections that are open now ends these, and is under way until it is released. */
  hold(): void;
  /** What was held arrives now. Resolves once the broker has answered something of each connection. */
  release(): Promise<void>;
  /** Everything passes, so many ms late. */
  delay(ms: number): void;
  /** Everything passes again; what was swallowed while it stalled is gone, and so are those connections. */
  heal(): void;
  close(): Promise<void>;
}

type Mode = 'pass' | 'stall' | 'mute' | 'cut';

/** Listens on a port of its own; to whom it connects may be said later, as a broker must know this address first. */
export async function startProxy(
  target: () => { readonly host: string; readonly port: number },
): Promise<TcpProxy> {
  let mode: Mode = 'pass';
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const stalled = new Set<Socket>();
  const forsaken = new Set<Socket>();
  /** Connections to a broker. */
  const brokers = new Set<Socket>();
  /** What each connection to a broker was not told yet. */
  const held = new Map<Socket, Buffer[]>();

  const forward = (from: Socket, to: Socket, isAnswer: boolean): void => {
    sockets.add(from);
    from
      .on('error', () => to.destroy())
      .on('close', () => {
        sockets.delete(from);
        forsaken.delete(from);
        if (!held.has(to)) to.destroy();
      });
    from.on('data', bytes => {
      if (held.has(to)) {
        held.get(to)?.push(bytes);
        from.destroy();
      } else if (forsaken.has(from) || mode === 'stall' || (mode === 'mute' && isAnswer)) {
        stalled.add(from).add(to);
      } else if (delayMs === 0) {
        to.write(bytes);
      } else {
        setTimeout(() => to.write(bytes), delayMs);
      }
    });
  };

  /** Ends the connections that were held. */
  const letGo = (): void => {
    for (const broker of held.keys()) broker.destroy();
    held.clear();
  };

  const server = createServer(client => {
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    const broker = connect(target());
    brokers.add(broker.on('close', () => brokers.delete(broker)));
    forward(client, broker, false);
    forward(broker, client, true);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const listening = server.address();
  const port = typeof listening === 'object' && listening !== null ? listening.port : 0;
  return {
    address: `127.0.0.1:${port}`,
    port,
    stall: () => void (mode = 'stall'),
    forsake() {
      for (const socket of sockets) forsaken.add(socket);
    },
    mute: () => void (mode = 'mute'),
    cut() {
      mode = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    hold() {
      for (const broker of brokers) held.set(broker, []);
    },
    async release() {
      const late = [...held].filter(([, said]) => said.length > 0);
      const answers = late.map(([broker]) => once(broker, 'data'));
      for (const [broker, said] of late) broker.write(Buffer.concat(said));
      await Promise.all(answers);
      letGo();
    },
    delay(ms) {
      mode = 'pass';
      delayMs = ms;
    },
    heal() {
      mode = 'pass';
      delayMs = 0;
      for (const socket of stalled) socket.destroy();
      stalled.clear();
      letGo();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
