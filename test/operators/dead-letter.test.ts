import { describe, expect, it } from 'vitest';
import { deadLetter } from '../../operators/dead-letter.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { FakePublisher, RecordingMeter, deliveryTest, givenFailure } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('deadLetter', {
  make: ({ publisher }) => deadLetter<string>(publisher),
  expected: { failure: { out: '--a-----b--|', acked: '--a--F--b', nacked: '' } },
});

describe('deadLetter', () => {
  it('acks a failure once its letter is stored, and completes after that', () => {
    deliveryTest(({ cold, scheduler, expectDeliveries, expectSubscriptions, expectSettled }) => {
      const publisher = new FakePublisher({ latencyMs: 5, scheduler });
      const source = cold('-F-a|');
      expectDeliveries(source.pipe(deadLetter(publisher))).toBe('---a--|');
      expectSubscriptions(source).toBe('^---!');
      expectSettled({ acked: '---a--F' });
    });
  });

  it('nacks a failure whose letter could not be stored', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, ledger, at, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext();
      const out = hot('-F-G|', { F: givenFailure(), G: givenFailure() }).pipe(
        deadLetter(publisher, { retryAfterMs: 250, meter }),
      );
      expectDeliveries(out).toBe('----|');
      expectSettled({ nacked: '-F', acked: '---G' });
      at(9, () => expect(ledger.settled[0]?.nackDelayMs).toBe(250));
    });
    expect(meter.count('stream_dlq_total', { tag: 'handle' })).toBe(1);
  });

  it('writes the message as it came and what happened to it', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    const payload = Uint8Array.of(0, 255, 1);
    const headers = MessageHeaders.of([
      ['a', '1'],
      ['a', Uint8Array.of(9)],
    ]);
    deliveryTest(({ hot, expectDeliveries }) => {
      const failure = givenFailure(
        { stage: 'score', reason: 'no bars' },
        { topic: 'bars', partition: 2, offset: 7, key: 'BTC-USD', timestamp: 99, payload, headers },
      );
      const out = hot('-F|', { F: failure }).pipe(deadLetter(publisher, { topic: 'my-dlq' }));
      expectDeliveries(out).toBe('--|');
    });
    const [letter] = publisher.storedIn('my-dlq');
    expect(letter).toMatchObject({ key: 'BTC-USD', timestamp: 99, payload });
    expect(letter?.headers.getAll('a')).toEqual(['1', Uint8Array.of(9)]);
    const told = [...(letter?.headers ?? [])].filter(([name]) => name.startsWith('x-dlq-'));
    expect(Object.fromEntries(told)).toEqual({
      'x-dlq-original-topic': 'bars',
      'x-dlq-original-partition': '2',
      'x-dlq-original-offset': '7',
      'x-dlq-original-timestamp': '99',
      'x-dlq-pipeline': 'momentum',
      'x-dlq-stage': 'score',
      'x-dlq-failure': 'handle',
      'x-dlq-reason': 'no bars',
      'x-dlq-attempts': '1',
      'x-dlq-first-failure-time': '0',
      'x-dlq-last-failure-time': '0',
    });
  });
});
