import { map } from 'rxjs';
import { describe, it } from 'vitest';
import { readRetries } from '../../operators/read-retries.ts';
import { type Delivery, withValue } from '../../src/core/delivery.ts';
import { Marker } from '../../src/core/marker.ts';
import type { Bytes } from '../../src/core/message.ts';
import type { RetryMessage } from '../../src/core/retry-message.ts';
import { type Given, deliveryTest, failureWith, given, givenRawMarker } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const headers = { 'x-retry-topic': 'orders', 'x-retry-partition': '3', 'x-retry-due': '5' };
const waiting = (payload: string): Given<Bytes> =>
  given<Bytes>(Buffer.from(payload), { headers, payload, key: 'k' });

/** What was read, in short. */
const inShort = map((delivery: Delivery<RetryMessage>): Delivery<string> => {
  if (!delivery.ok) return delivery;
  const { dueAt, message } = delivery.value;
  const { topic, partition, payload } = message;
  return withValue(delivery, `${topic}/${partition} ${String(payload)} at ${dueAt}`);
});

operatorContract('readRetries', {
  make:
    ({ scheduler }) =>
    source$ =>
      source$.pipe(readRetries({ scheduler }), inShort),
  inputs: { a: waiting('a'), b: waiting('b'), c: waiting('c') },
  outputs: { a: 'orders/3 a at 5', b: 'orders/3 b at 5', c: 'orders/3 c at 5' },
});

describe('readRetries', () => {
  it('acks markers and makes failures of what is something else', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const source = hot<Bytes>('mab|', {
        m: givenRawMarker(new Marker('time', 5)),
        a: given<Bytes>(null),
        b: given<Bytes>(null, { attempt: 2, headers: { ...headers, 'x-retry-due': 'later' } }),
      });
      expectDeliveries(source.pipe(readRetries({ scheduler }))).toBe('-FG|', {
        F: failureWith('decode', {
          codec: 'retry',
          retryable: false,
          reason: 'no message to be tried again: no header x-retry-topic',
        }),
        G: failureWith('decode', {
          attempts: 2,
          reason: 'no message to be tried again: x-retry-due is no time: later',
        }),
      });
      expectSettled({ acked: 'm', nacked: '-ab' });
    });
  });
});
