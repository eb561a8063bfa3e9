import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

const require = createRequire(import.meta.url);

/** The part of kafkajs's connection that is at fault. */
interface Connection {
  readonly socket?: Socket;
  disconnect: (this: Connection) => Promise<boolean>;
}

let isDone = false;

/**
 * kafkajs 2.2.4 disconnects a connection that is gone with every attempt to have it back, and its socket, asked not to
 * keep the process alive, waits each time for a connection that never comes: the longer a broker is away, the more
 * listeners it has, of which Node warns. Here they are let go.
 */
export function forgetDeadSockets(): void {
  if (isDone) return;
  isDone = true;
  const { prototype } = require('kafkajs/src/network/connection') as { prototype: Connection };
  const { disconnect } = prototype;
  prototype.disconnect = async function (): Promise<boolean> {
    const isDisconnected = await disconnect.call(this);
    if (this.socket?.destroyed === true) this.socket.removeAllListeners('connect');
    return isDisconnected;
  };
}
