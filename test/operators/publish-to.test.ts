import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { publishTo } from '../../operators/publish-to.ts';
import { jsonCodec, textCodec } from '../../src/core/codec.ts';
import { deriveId } from '../../src/core/message.ts';
import { topic } from '../../src/core/topic.ts';
import {
  FakePublisher,
  RecordingMeter,
  deliveryTest,
  failureWith,
  given,
  messageOf,
} from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const texts = topic('texts', textCodec);
const numbers = topic('numbers', jsonCodec(t.number, { version: '3' }));

operatorContract('publishTo', {
  make: ({ publisher }) => publishTo(texts, publisher),
  makeThrowing: ({ publisher }, error) =>
    publishTo<string>(texts, publisher, {
      key: () => {
        throw error;
      },
    }),
  expected: { 'throwing callback': { out: '--E--E--|' } },
});

describe('publishTo', () => {
  it('passes a value on once the broker has it, and completes after the last', () => {
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSubscriptions, expectSettled, at }) => {
      const publisher = new FakePublisher({ latencyMs: 4, scheduler });
      const source = cold('-a-bF|');
      expectDeliveries(source.pipe(publishTo(texts, publisher))).toBe('----Fa-(b|)', {
        a: 'a',
        b: 'b',
        F: failureWith('handle', { stage: 'earlier' }),
      });
      expectSubscriptions(source).toBe('^----!');
      expectSettled({ acked: '-----a-b', nacked: '----F' });
      at(4, () => expect([publisher.stored.length, publisher.sending]).toEqual([0, 2]));
      at(9, () => expect(publisher.stored.map(({ payload }) => String(payload))).toEqual(['a', 'b']));
    });
  });

  it('forgets what is on its way when it is unsubscribed from', () => {
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ latencyMs: 4, scheduler });
      const out = cold('-a-b--').pipe(publishTo(texts, publisher));
      expectDeliveries(out, { subscription: '^-----!' }).toBe('-----a');
      expectSettled({ acked: '-----a', takenBack: 'b' });
    });
  });

  it('makes a failure of what the broker refuses for good', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext('message-too-large');
      const source = hot('-a-b|', { a: given('a', { attempt: 2 }), b: 'b' });
      expectDeliveries(source.pipe(publishTo(texts, publisher, { scheduler, name: 'out' }))).toBe('-F-b|', {
        F: failureWith('publish', {
          code: 'message-too-large',
          topic: 'texts',
          stage: 'out',
          retryable: false,
          attempts: 2,
          firstAt: 1,
        }),
        b: 'b',
      });
      expectSettled({ acked: '---b', nacked: '-a' });
    });
  });

  it('waits in order while the broker may take it later, and lets failures pass', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      const waiting = (): number | undefined => meter.read('stream_buffered', { stage: 'publishTo' });
      publisher.failNext('publish-timeout', 2);
      at(20, () => expect(waiting()).toBe(2));
      // Refused at 1, in vain again 10 ms later, taken 20 ms after that.
      const backoff = { firstDelayMs: 10, jitter: 'none' } as const;
      const source = hot('-a-bF 40ms c|');
      const out = source.pipe(publishTo(texts, publisher, { scheduler, meter, backoff }));
      expectDeliveries(out).toBe('----F 26ms (ab) 10ms c|', {
        a: 'a',
        b: 'b',
        c: 'c',
        F: failureWith('handle', { stage: 'earlier' }),
      });
      expectSettled({ acked: '31ms (ab) 10ms c', nacked: '----F' });
      at(50, () => expect(publisher.stored.map(({ payload }) => String(payload))).toEqual(['a', 'b', 'c']));
      at(50, () => expect(waiting()).toBeUndefined());
    });
  });

  it('forgets what waits for the broker when it is unsubscribed from', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext('publish-timeout', 1000);
      const out = hot('-a-b 60s -').pipe(publishTo(texts, publisher, { scheduler }));
      expectDeliveries(out, { subscription: '^ 30s !' }).toBe('-');
      expectSettled({ takenBack: 'ab' });
    });
  });

  it('makes an encode failure of what the codec cannot write', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const publisher = new FakePublisher();
      const source = hot<unknown>('-a|', { a: undefined });
      expectDeliveries(source.pipe(publishTo(topic('any', jsonCodec(t.unknown)), publisher))).toBe('-F|', {
        F: failureWith('encode', { codec: 'unknown', retryable: false }),
      });
      expect(publisher.stored).toEqual([]);
    });
  });

  it('takes key, event time and id from the message unless told otherwise', () => {
    const parent = { key: 'BTC-USD', timestamp: 70, id: 'f'.repeat(32) };
    const publisher = new FakePublisher({ pipeline: 'p' });
    deliveryTest(({ hot, expectDeliveries }) => {
      expectDeliveries(hot('-a|', { a: given(1, parent) }).pipe(publishTo(numbers, publisher))).toBe('-a|', {
        a: 1,
      });
      const told = publishTo<number>(numbers, publisher, {
        key: (n, { key }) => `${key}-${n}`,
        time: (n, { timestamp }) => timestamp + n,
        ordinal: n => n,
      });
      expectDeliveries(hot('--a|', { a: given(1, parent) }).pipe(told)).toBe('--a|', { a: 1 });
    });
    const [plain, told] = publisher.storedIn('numbers');
    expect(plain).toMatchObject({
      key: 'BTC-USD',
      timestamp: 70,
      payload: Buffer.from('1'),
      id: deriveId('p', 'numbers', 'BTC-USD', 70, parent.id),
    });
    expect(plain?.headers.get('causation-id')).toBe(parent.id);
    expect(plain?.headers.get('correlation-id')).toBe(parent.id);
    expect(plain?.headers.get('schema-version')).toBe('3');
    expect(told).toMatchObject({
      key: 'BTC-USD-1',
      timestamp: 71,
      id: deriveId('p', 'numbers', 'BTC-USD-1', 71, 1),
    });
    expect(messageOf(parent).id).toBe(parent.id);
  });

  it('writes headers of its own beside those of provenance', () => {
    const publisher = new FakePublisher();
    deliveryTest(({ hot, expectDeliveries }) => {
      const out = publishTo<string>(texts, publisher, { headers: value => ({ kind: value }) });
      expectDeliveries(hot('-a|').pipe(out)).toBe('-a|');
    });
    const headers = publisher.stored[0]?.headers;
    expect([headers?.get('kind'), headers?.get('causation-id')]).toEqual(['a', expect.any(String)]);
  });

  it('leaves in the order in which the broker stored', () => {
    deliveryTest(({ hot, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ latencyMs: 5, scheduler });
      at(2, () => {
        publisher.latencyMs = 1;
      });
      expectDeliveries(hot('-a-b-----|').pipe(publishTo(texts, publisher))).toBe('----b-a--|');
      expectSettled({ acked: '----b-a' });
    });
  });
});
