import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { deadLetter } from '../../operators/dead-letter.ts';
import { mapValues } from '../../operators/map-values.ts';
import { unbatch } from '../../operators/unbatch.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { readDeadLetter } from '../../src/core/dead-letter.ts';
import { historyOf, withHistory } from '../../src/core/message-history.ts';
import {
  FakePublisher,
  RecordingMeter,
  deliveryTest,
  given,
  givenFailure,
  messageOf,
} from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('deadLetter', {
  make: ({ publisher }) => deadLetter<string>(publisher),
  expected: { failure: { out: '--a-----b--|', acked: '--a--F--b', nacked: '' } },
});

const fails = (): string => {
  throw new Error('as told');
};

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

  it('holds everything back while a letter cannot be stored, whatever the reason', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, at, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext('topic-not-found', 2);
      const backoff = { firstDelayMs: 10, jitter: 'none' } as const;
      const source = hot('-F-a-Gb|', { F: givenFailure(), G: givenFailure(), a: 'a', b: 'b' });
      at(9, () => expect(meter.read('stream_buffered', { stage: 'deadLetter' })).toBe(4));
      const out = source.pipe(deadLetter<string>(publisher, { meter, scheduler, backoff }));
      expectDeliveries(out).toBe('31ms (ab|)', { a: 'a', b: 'b' });
      expectSettled({ acked: '31ms (FGab)' });
    });
    expect(meter.count('stream_dlq_total', { tag: 'handle' })).toBe(2);
  });

  it('forgets what it holds back when it is unsubscribed from', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const publisher = new FakePublisher();
      publisher.failNext('storage', 1000);
      const out = hot('-F-a 60s -').pipe(deadLetter<string>(publisher, { scheduler }));
      expectDeliveries(out, { subscription: '^ 30s !' }).toBe('-');
      expectSettled({ takenBack: 'Fa' });
    });
  });

  it('counts the dead letters of a message over its life, and puts the fifth into quarantine', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    const meter = new RecordingMeter();
    const history = {
      ...historyOf(messageOf({ topic: 'bars', partition: 1, offset: 7 })),
      attempts: 12,
      firstFailureAt: -500,
      deadLetters: 3,
    };
    const headers = (deadLetters: number): MessageHeaders =>
      withHistory(MessageHeaders.empty, { ...history, deadLetters });
    deliveryTest(({ hot, expectDeliveries }) => {
      const again = { topic: 'bars', partition: 1, offset: 90 };
      const out = hot('-F-G|', {
        F: givenFailure({}, { ...again, headers: headers(3) }),
        G: givenFailure({}, { ...again, headers: headers(4) }),
      }).pipe(deadLetter(publisher, { meter }));
      expectDeliveries(out).toBe('----|');
    });
    const [letter] = publisher.storedIn('cryptorun-dlq').flatMap(message => readDeadLetter(message) ?? []);
    const [held] = publisher
      .storedIn('cryptorun-quarantine')
      .flatMap(message => readDeadLetter(message) ?? []);
    const origin = { topic: 'bars', partition: 1, offset: 7 };
    expect(letter).toMatchObject({ origin, count: 4, attempts: 13, firstFailureAt: -500 });
    expect([...(letter?.headers ?? [])]).toEqual([]);
    expect(held).toMatchObject({ origin, count: 5 });
    expect(meter.count('stream_dlq_total', { tag: 'handle' })).toBe(1);
    expect(meter.count('stream_quarantine_total', { tag: 'handle' })).toBe(1);
  });

  it('gives the letter of the same death the same id', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    deliveryTest(({ hot, expectDeliveries }) => {
      const place = { topic: 'bars', partition: 1, offset: 7, key: 'k', timestamp: 5 };
      const values = {
        F: givenFailure({}, place),
        G: givenFailure({}, place),
        H: givenFailure({}, { offset: 8 }),
      };
      expectDeliveries(hot('-F-G-H|', values).pipe(deadLetter(publisher))).toBe('------|');
    });
    const [first, again, other] = publisher.stored.map(({ id }) => id);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('puts into quarantine after as many dead letters as it is told, which are at least one', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    deliveryTest(({ hot, expectDeliveries }) => {
      const out = hot('-F|', { F: givenFailure({}, {}) }).pipe(deadLetter(publisher, { quarantineAfter: 1 }));
      expectDeliveries(out).toBe('--|');
    });
    expect(publisher.stored.map(({ topic }) => topic)).toEqual(['cryptorun-quarantine']);
    expect(() => deadLetter(publisher, { quarantineAfter: 0 })).toThrow(/deadLetter\.quarantineAfter/);
  });

  it.each([
    ['a batch', '13ms |', mapValues<readonly string[], string>(() => fails())],
    [
      'one value of a batch',
      '---a 9ms (c|)',
      (batch$: Observable<Delivery<readonly string[]>>) =>
        batch$.pipe(
          unbatch(),
          mapValues(value => (value === 'b' ? fails() : value)),
        ),
    ],
  ])(
    'buries each message of %s that failed, and acks them when all letters are stored',
    (_, out, failing) => {
      const publisher = new FakePublisher({ pipeline: 'momentum' });
      publisher.failNext('publish-timeout', 1);
      deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
        const values = Object.fromEntries(
          ['a', 'b', 'c'].map((of, n) => [of, given(of, { offset: n, payload: of })]),
        );
        const backoff = { firstDelayMs: 10, jitter: 'none' } as const;
        const letters = deadLetter(publisher, { scheduler, backoff });
        expectDeliveries(
          hot('-abc|', values).pipe(batch({ count: 3 }, { scheduler }), failing, letters),
        ).toBe(out);
        expectSettled({ acked: '13ms (abc)' });
      });
      const buried = publisher.stored.map(
        ({ payload, headers }) => `${String(payload)} ${headers.get('x-dlq-original-offset') ?? ''}`,
      );
      expect(buried).toEqual(['a 0', 'b 1', 'c 2']);
    },
  );

  it('writes the headers that the tools of other ecosystems read', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    deliveryTest(({ hot, expectDeliveries }) => {
      const failure = givenFailure(
        { stage: 'score', reason: 'no bars', cause: new TypeError('no bars') },
        { topic: 'bars', partition: 258, offset: 7, timestamp: 99 },
      );
      const options = { alsoAs: ['spring-kafka', 'kafka-connect'] as const };
      expectDeliveries(hot('-F|', { F: failure }).pipe(deadLetter(publisher, options))).toBe('--|');
    });
    const headers = publisher.stored[0]?.headers;
    expect(headers?.get('kafka_dlt-original-topic')).toBe('bars');
    expect(headers?.getBytes('kafka_dlt-original-partition')).toEqual(Uint8Array.of(0, 0, 1, 2));
    expect(headers?.getBytes('kafka_dlt-original-offset')).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7));
    expect(headers?.get('kafka_dlt-exception-fqcn')).toBe('TypeError');
    expect(headers?.get('__connect.errors.partition')).toBe('258');
    expect(headers?.get('__connect.errors.exception.message')).toBe('no bars');
  });

  it('tells the beginning of a reason that is longer than a letter may be, and how much is missing', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    const reason = `no bars in ${'x'.repeat(5_000_000)}`;
    deliveryTest(({ hot, expectDeliveries }) => {
      const failure = givenFailure({ stage: 'score', reason, cause: new Error(reason) }, {});
      const options = { alsoAs: ['spring-kafka', 'kafka-connect'] as const };
      expectDeliveries(hot('-F|', { F: failure }).pipe(deadLetter(publisher, options))).toBe('--|');
    });
    const headers = publisher.stored[0]?.headers;
    expect(headers?.get('x-dlq-reason')).toMatch(/^no bars in x+… \(4995915 characters more\)$/);
    const length = [...(headers ?? [])].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    expect(length).toBeLessThan(32_768);
  });

  it('says less of the failure where the letter is too large, and waits where even that is', () => {
    const meter = new RecordingMeter();
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    deliveryTest(({ hot, at, scheduler, expectDeliveries, expectSettled }) => {
      const reason = 'r'.repeat(5_000);
      const F = givenFailure(
        { reason, cause: new Error(reason) },
        { key: 'k', headers: { own: 'o'.repeat(9_000) } },
      );
      publisher.failNext('message-too-large');
      at(10, () => publisher.failNext('message-too-large', 3));
      at(50, () => expect(meter.read('stream_buffered', { stage: 'deadLetter' })).toBe(2));
      const backoff = { firstDelayMs: 100, jitter: 'none' } as const;
      const options = { meter, scheduler, backoff, alsoAs: ['spring-kafka', 'kafka-connect'] } as const;
      const out = hot('-F 20ms Fa|', { F, a: 'a' }).pipe(deadLetter<string>(publisher, options));
      // The second is refused whole, brief, and brief again after 100 ms; and stored 200 ms later.
      expectDeliveries(out).toBe('322ms (a|)', { a: 'a' });
      expectSettled({ acked: '-F 320ms (Fa)' });
    });
    expect(publisher.stored).toHaveLength(2);
    for (const { headers } of publisher.stored) {
      expect(headers.get('own')).toBe('o'.repeat(9_000));
      expect(headers.get('x-dlq-reason')).toBe(`${'r'.repeat(200)}… (4800 characters more)`);
      expect([...headers].filter(([name]) => name.startsWith('kafka_dlt') || name.startsWith('__'))).toEqual(
        [],
      );
    }
  });

  it('writes the message as it came and what happened to it', () => {
    const publisher = new FakePublisher({ pipeline: 'momentum' });
    const payload = Uint8Array.of(0, 255, 1);
    const headers = MessageHeaders.of([
      ['a', '1'],
      ['a', Uint8Array.of(9)],
      ['schema-version', '3'],
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
    expect(letter?.headers.get('schema-version')).toBe('3');
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
      'x-dlq-worker': '',
      'x-dlq-schema-version': '3',
      'x-dlq-count': '1',
    });
    expect(letter && readDeadLetter(letter)).toMatchObject({ schemaVersion: '3', headers });
  });
});
