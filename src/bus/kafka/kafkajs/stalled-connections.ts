import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

const require = createRequire(import.meta.url);

/** The part of kafkajs's connection that is at fault. */
interface Connection {
  readonly socket?: Socket;
  send: (this: Connection, request: unknown) => Promise<unknown>;
}

let isDone = false;

/**
 * kafkajs 2.2.4 goes on using a connection that does not answer: where packets vanish, every request to that broker
 * fails until the system gives the connection up, after a quarter of an hour or so. Here it is closed with the first
 * request that was not answered in time, and the next one opens another.
 */
export function closeStalledConnections(): void {
  if (isDone) return;
  isDone = true;
  const { prototype } = require('kafkajs/src/network/connection') as { prototype: Connection };
  const { send } = prototype;
  prototype.send = async function (request): Promise<unknown> {
    try {
      return await send.call(this, request);
    } catch (error) {
      if (error instanceof Error && error.name === 'KafkaJSRequestTimeoutError') this.socket?.destroy(error);
      throw error;
    }
  };
}
