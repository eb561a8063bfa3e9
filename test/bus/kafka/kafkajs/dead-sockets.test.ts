import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { forgetDeadSockets } from '../../../../src/bus/kafka/kafkajs/dead-sockets.ts';

interface Connection {
  readonly socket: Socket;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

const require = createRequire(import.meta.url);
const ConnectionClass = require('kafkajs/src/network/connection') as new (options: object) => Connection;
const socketFactory = (require('kafkajs/src/network/socketFactory') as () => unknown)();
const silent = { debug: () => undefined, error: () => undefined };

it('a connection of kafkajs that is gone gathers no listeners, however often it is disconnected', async () => {
  forgetDeadSockets();
  const server = createServer(socket => void socket.destroy()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const connection = new ConnectionClass({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    logger: { namespace: () => silent },
    socketFactory,
    connectionTimeout: 1_000,
    requestTimeout: 1_000,
  });
  await connection.connect();
  const { socket } = connection;
  await once(socket, 'close');
  for (let again = 0; again < 3; again++) await connection.disconnect();
  expect(socket.listenerCount('connect')).toBe(0);
});
