import * as t from 'io-ts';
import { describe, it } from 'vitest';
import { encode } from '../../operators/encode.ts';
import { CodecError, jsonCodec, textCodec } from '../../src/core/codec.ts';
import { topic } from '../../src/core/topic.ts';
import { deliveryTest, failureWith, given } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const texts = topic('texts', textCodec);
const anything = topic('anything', jsonCodec(t.unknown, { name: 'Anything' }));

operatorContract('encode', {
  make: () => encode(texts),
  makeThrowing: (_, error) =>
    encode<string>({
      codec: {
        ...textCodec,
        encode: () => {
          throw error;
        },
      },
    }),
  outputs: { a: Buffer.from('a'), b: Buffer.from('b'), c: Buffer.from('c') },
  expected: { 'throwing callback': { out: '--E--E--|' } },
});

describe('encode', () => {
  it('makes a failure that is not retryable of what the codec cannot write', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot<unknown>('-a-b-|', { a: { n: 1 }, b: given<unknown>(undefined, { attempt: 2 }) });
      expectDeliveries(source.pipe(encode(anything, { scheduler }))).toBe('-a-F-|', {
        a: Buffer.from('{"n":1}'),
        F: failureWith('encode', {
          codec: 'Anything',
          stage: 'encode',
          attempts: 2,
          lastAt: 3,
          retryable: false,
          cause: new CodecError('Anything', ['the value has no JSON form']),
        }),
      });
      expectSettled({ acked: '-a', nacked: '---b' });
    });
  });
});
