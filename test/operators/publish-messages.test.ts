import { describe, expect, it } from 'vitest';
import { publishMessages } from '../../operators/publish-messages.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { FakePublisher, RecordingMeter, deliveryTest, failureWith } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

const to = (topic: string): OutgoingMessage => ({ topic, key: 'k', payload: Buffer.from(topic) });
const inputs = { a: to('a'), b: to('b'), c: to('c') };

operatorContract('publishMessages', {
  make: ({ publisher }) => publishMessages(publisher),
  inputs,
});

describe('publishMessages', () => {
  it('passes a message on once the broker has it, and completes after the last', () => {
    deliveryTest(({ cold, scheduler, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ latencyMs: 4, scheduler });
      expectDeliveries(cold('-a-b|', inputs).pipe(publishMessages(publisher))).toBe('-----a-(b|)', inputs);
      at(9, () => expect(publisher.stored.map(({ topic }) => topic)).toEqual(['a', 'b']));
      expectSettled({ acked: '-----a-b' });
    });
  });

  it('waits in order while the broker may take them later', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, scheduler, at, expectDeliveries }) => {
      const publisher = new FakePublisher();
      publisher.failNext('publish-timeout');
      const out = hot('ab 300ms |', inputs).pipe(
        publishMessages(publisher, { scheduler, meter, backoff: { jitter: 'none' } }),
      );
      expectDeliveries(out).toBe('100ms (ab) 198ms |', inputs);
      at(20, () => expect(meter.read('stream_buffered', { stage: 'publishMessages' })).toBe(2));
      at(290, () => expect(publisher.stored.map(({ topic }) => topic)).toEqual(['a', 'b']));
    });
  });

  it('makes a failure of what the broker refuses for good', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext('topic-not-found');
      expectDeliveries(hot('ab|', inputs).pipe(publishMessages(publisher, { scheduler }))).toBe('Fb|', {
        F: failureWith('publish', { code: 'topic-not-found', topic: 'a', retryable: false }),
        b: inputs.b,
      });
      expectSettled({ nacked: 'a', acked: '-b' });
    });
  });

  it('forgets what is on its way when it is unsubscribed from', () => {
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher({ latencyMs: 9, scheduler });
      const out = cold('-a-b--', inputs).pipe(publishMessages(publisher));
      expectDeliveries(out, { subscription: '^----!' }).toBe('-----');
      expectSettled({ takenBack: 'ab' });
    });
  });
});
