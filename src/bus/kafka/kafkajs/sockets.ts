import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

const require = createRequire(import.meta.url);

type SocketOptions = Parameters<ISocketFactory>[0];

/** What kafkajs makes its connections with by itself. */
const createFactory = require('kafkajs/src/network/socketFactory') as () => (
  options: SocketOptions,
) => Socket;

/**
 * The connections of one client. kafkajs connects again for whatever is asked behind a disconnect, as by a retry that
 * was under way, and a process that has such a connection does not end. Here no connection outlives its client.
 */
export class Sockets {
  readonly #connect = createFactory();
  readonly #open = new Set<Socket>();
  #closed = false;

  /** @throws Error behind {@link close}; kafkajs makes a failed connection of it */
  connect(options: SocketOptions): Socket {
    if (this.#closed) throw new Error('the bus is stopped');
    const socket = this.#connect(options);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  }

  /** With an error, which is what kafkajs stops its timers by. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.destroy(new Error('the bus is stopped'));
  }
}
