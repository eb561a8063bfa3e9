import { createRequire } from 'node:module';

interface Exchange {
  readonly request: { readonly apiName: string; readonly encode: () => Promise<{ readonly buf: Buffer }> };
}

interface ConnectionPool {
  send(exchange: Exchange): Promise<unknown>;
}

/** Where a fetch says what it may see: behind the replica, how long to wait, and the fewest and most bytes. */
const isolationAt = 4 * 4;
const uncommittedToo = 0;

/** A planted bug: until what is returned is called, whoever reads by kafkajs sees what is not committed too. */
export function readUncommitted(): () => void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/connectionPool') as { prototype: ConnectionPool };
  const original = Object.getOwnPropertyDescriptor(prototype, 'send') ?? {};
  const send = original.value as ConnectionPool['send'];
  prototype.send = function (this: ConnectionPool, exchange) {
    const { request } = exchange;
    if (request.apiName !== 'Fetch') return send.call(this, exchange);
    const encode: Exchange['request']['encode'] = async () => {
      const encoder = await request.encode();
      encoder.buf.writeInt8(uncommittedToo, isolationAt);
      return encoder;
    };
    return send.call(this, { ...exchange, request: { ...request, encode } });
  };
  return () => void Object.defineProperty(prototype, 'send', original);
}
