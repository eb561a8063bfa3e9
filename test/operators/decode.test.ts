import * as t from 'io-ts';
import { describe, it } from 'vitest';
import { decode } from '../../operators/decode.ts';
import { CodecError, jsonCodec, textCodec } from '../../src/core/codec.ts';
import { Marker } from '../../src/core/marker.ts';
import type { Bytes } from '../../src/core/message.ts';
import { topic } from '../../src/core/topic.ts';
import { deliveryTest, failureWith, given, givenRawMarker } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const bytes = (text: string): Bytes => Buffer.from(text);
const texts = topic('texts', textCodec);
const ticks = topic('ticks', jsonCodec(t.type({ price: t.number }), { name: 'Tick' }));

operatorContract('decode', {
  make: () => decode(texts),
  inputs: { a: bytes('a'), b: bytes('b'), c: bytes('c') },
  outputs: { a: 'a', b: 'b', c: 'c' },
});

describe('decode', () => {
  it('makes a failure that is not retryable of what the codec refuses', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot<Bytes>('-a--b-c-|', {
        a: bytes('{"price":1}'),
        b: given(bytes('{"price":"1"}'), { attempt: 2 }),
        c: bytes('{'),
      });
      expectDeliveries(source.pipe(decode(ticks, { scheduler }))).toBe('-a--F-G-|', {
        a: { price: 1 },
        F: failureWith('decode', {
          codec: 'Tick',
          stage: 'decode',
          attempts: 2,
          firstAt: 4,
          lastAt: 4,
          retryable: false,
          cause: new CodecError('Tick', ['Invalid value "1" supplied to : { price: number }/price: number']),
        }),
        G: failureWith('decode', { codec: 'Tick', retryable: false }),
      });
      expectSettled({ acked: '-a', nacked: '----b-c' });
    });
  });

  it('acks markers and passes nothing on, unless asked to', () => {
    const marker = new Marker('time', 70);
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Bytes>('-m-a|', { m: givenRawMarker(marker), a: bytes('x') });
      expectDeliveries(source.pipe(decode(texts))).toBe('---a|', { a: 'x' });
      expectSettled({ acked: '-m-a' });
    });
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Bytes>('-m-a|', { m: givenRawMarker(marker), a: bytes('x') });
      expectDeliveries(source.pipe(decode(texts, { markers: true }))).toBe('-m-a|', { m: marker, a: 'x' });
      expectSettled({ acked: '-m-a' });
    });
  });

  it('refuses a tombstone, which is no marker because it has a key', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot<Bytes>('-t|', { t: given<Bytes>(null, { key: 'BTC-USD' }) });
      expectDeliveries(source.pipe(decode(texts, { name: 'read' }))).toBe('-F|', {
        F: failureWith('decode', { stage: 'read', reason: 'no payload: a tombstone' }),
      });
    });
  });
});
