import { hash } from 'node:crypto';
import { EMPTY, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deadLetterTopic, quarantineTopic } from '../../src/core/dead-letter.ts';
import { MessageHeaders } from '../../src/core/headers.ts';
import { historyOf } from '../../src/core/message-history.ts';
import type { OutgoingMessage } from '../../src/core/message.ts';
import { BusError } from '../../src/core/publisher.ts';
import { redrive } from '../../src/dlq/redrive.ts';
import type { RedriveRecord } from '../../src/dlq/redrive-options.ts';
import type { RedriveProgress } from '../../src/dlq/redrive-tally.ts';
import { virtualBus } from '../../src/testing/index.ts';
import { busWhere, busWith, idOf, letterOf, passUntil, publish, storedIn } from './letters.ts';

const bytes = new Uint8Array([0, 255, 13, 10, 128]);
const many = (count: number): OutgoingMessage[] =>
  Array.from({ length: count }, (_, n) => letterOf({ n, key: `key ${n % 7}` }));
const payloads = (bus: Parameters<typeof storedIn>[0], topic = 'prices'): string[] =>
  storedIn(bus, topic).map(({ payload }) => Buffer.from(payload ?? 'null').toString());

describe('redrive', () => {
  it('sends a letter back as it was, to where it was, for the pipeline that failed alone', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    const headers = MessageHeaders.of([
      ['trace', 'a'],
      ['trace', bytes],
    ]);
    await publish(bus, [letterOf({ n: 7, payload: bytes, headers, count: 2, attempts: 5 })]);
    const report = await redrive(bus);

    const [message, second] = storedIn(bus, 'prices');
    expect(second).toBeUndefined();
    expect(message).toMatchObject({ topic: 'prices', partition: 1, key: 'BTC-USD', timestamp: 1_007 });
    expect(message?.payload).toEqual(bytes);
    expect(message?.headers.getAll('trace')).toEqual(['a', bytes]);
    expect([...message!.headers].filter(([name]) => name.startsWith('x-dlq'))).toEqual([]);
    expect(historyOf(message!)).toEqual({
      origin: { topic: 'prices', partition: 1, offset: 7 },
      attempts: 5,
      firstFailureAt: 10_007,
      lastFailureAt: 20_007,
      retries: 0,
      rounds: 0,
      deadLetters: 2,
      addressee: 'bars',
      redrive: idOf(7),
    });
    expect(report).toMatchObject({ outcome: 'done', total: 1, looked: 1, matched: 1, sent: 1, failed: 0 });
    expect(report.groups).toMatchObject([{ count: 1, example: idOf(7) }]);
  });

  it('sends a tombstone as one', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ payload: null })]);
    await redrive(bus);
    expect(storedIn(bus, 'prices')[0]?.payload).toBeNull();
  });

  it('has nothing to do the second time, and goes on with what is new', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(5));
    await redrive(bus, { pipeline: 'bars' });
    expect(await redrive(bus, { pipeline: 'bars' })).toMatchObject({ before: 5, total: 0, sent: 0 });
    await publish(bus, [letterOf({ n: 9 }), letterOf({ n: 10, pipeline: 'gates' })]);
    expect(await redrive(bus, { pipeline: 'bars' })).toMatchObject({ before: 5, total: 2, sent: 1 });
    expect(storedIn(bus, 'prices')).toHaveLength(6);
  });

  it('gives what is sent again by another selection, or anew, the same id', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf()]);
    await redrive(bus);
    await redrive(bus, { pipeline: 'bars' });
    await redrive(bus, {}, { again: true });
    const sent = storedIn(bus, 'prices');
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
  });

  it('only counts in a dry run, from where the job stands', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(3));
    await redrive(bus);
    await publish(bus, [letterOf({ n: 20 }), letterOf({ n: 21, reason: 'another' })]);
    const records: RedriveRecord[] = [];
    const audit = (record: RedriveRecord): Promise<void> => Promise.resolve(void records.push(record));
    const dry = await redrive(bus, {}, { dryRun: true, audit });
    expect(dry).toMatchObject({ outcome: 'done', sent: 2, groups: [{ count: 1 }, { count: 1 }] });
    expect(await redrive(bus, {}, { dryRun: true, again: true })).toMatchObject({ sent: 5 });
    expect(storedIn(bus, 'prices')).toHaveLength(3);
    expect(records).toEqual([]);
    expect(await redrive(bus)).toMatchObject({ sent: 2 });
  });

  it('never sends what is in quarantine, nor its earlier letters', async () => {
    const bus = await busWith('prices', deadLetterTopic, quarantineTopic);
    const origin = { topic: 'prices', partition: 0, offset: 12 };
    await publish(bus, [
      letterOf({ n: 1, origin, count: 1 }),
      letterOf({ n: 2, origin, count: 4 }),
      letterOf({ n: 3, origin, pipeline: 'gates' }),
      letterOf({ n: 4, origin, count: 5, topic: quarantineTopic }),
    ]);
    const report = await redrive(bus);
    expect(report).toMatchObject({ matched: 3, sent: 1, skipped: { 'in quarantine': 2 }, failed: 0 });
    expect(payloads(bus)).toEqual(['payload 3']);
  });

  it('releases from quarantine with the count it had', async () => {
    const bus = await busWith('prices', deadLetterTopic, quarantineTopic);
    await publish(bus, [letterOf({ n: 4, count: 5, topic: quarantineTopic })]);
    expect(await redrive(bus, {}, { topic: quarantineTopic })).toMatchObject({ sent: 1 });
    expect(historyOf(storedIn(bus, 'prices')[0]!).deadLetters).toBe(5);
  });

  it('reports what cannot be sent and goes on', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    const origin = { topic: 'prices', partition: 44, offset: 1 };
    await publish(bus, [
      letterOf({ n: 1, origin: { topic: 'gone', partition: 0, offset: 1 } }),
      letterOf({ n: 2, origin }),
      letterOf({ n: 3, pipeline: '' }),
      letterOf({ n: 4 }),
    ]);
    const fromFeed = MessageHeaders.of({ 'x-dlq-original-topic': 'prices', 'x-dlq-pipeline': 'feed x' });
    await bus.publish({ topic: deadLetterTopic, key: 'a', payload: bytes, headers: fromFeed });
    const report = await redrive(bus);
    expect(report).toMatchObject({ outcome: 'done', sent: 1, failed: 3, skipped: { 'never a message': 1 } });
    expect(new Map(report.failures.map(({ id, reason }) => [id, reason]))).toEqual(
      new Map([
        [idOf(1), expect.stringContaining('no topic gone')],
        [idOf(2), expect.stringContaining('no partition 44')],
        [idOf(3), 'it does not tell which pipeline failed'],
      ]),
    );
    expect(payloads(bus)).toEqual(['payload 4']);
  });

  it('sends so many at most, and then goes on behind them', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(100));
    expect(await redrive(bus, {}, { limit: 30 })).toMatchObject({ outcome: 'limit', sent: 30 });
    expect(await redrive(bus, {}, { limit: 70 })).toMatchObject({ outcome: 'done', before: 30, sent: 70 });
    expect(new Set(payloads(bus)).size).toBe(100);
    expect(storedIn(bus, 'prices')).toHaveLength(100);
  });

  // Kills: going past letters before they are stored.
  it('stopped by its signal, goes on with the first that is not sent', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(1_000));
    const stop = new AbortController();
    const onProgress = ({ sent }: RedriveProgress): void => {
      if (sent >= 100) stop.abort();
    };
    const first = await redrive(bus, {}, { signal: stop.signal, onProgress });
    expect(first.outcome).toBe('stopped');
    expect(first.sent).toBeLessThan(200);
    const second = await redrive(bus);
    expect(second).toMatchObject({ outcome: 'done', before: first.looked, sent: 1_000 - first.sent });
    expect(storedIn(bus, 'prices')).toHaveLength(1_000);
    expect(new Set(payloads(bus)).size).toBe(1_000);
  });

  it('keeps the order of each key', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    const same = { topic: 'prices', partition: 0, offset: 0 };
    await publish(
      bus,
      Array.from({ length: 300 }, (_, n) => letterOf({ n, origin: same, key: `k${n % 5}` })),
    );
    let sends = 0;
    const faulty = busWhere(bus, { publishBatch: refusing(bus, () => sends++ % 7 < 3) });
    await redrive(faulty, {}, { backoff: { firstDelayMs: 0, maxDelayMs: 0 } });
    for (let k = 0; k < 5; k++) {
      const numbers = storedIn(bus, 'prices')
        .filter(({ key }) => key === `k${k}`)
        .map(({ timestamp }) => timestamp);
      expect(numbers).toHaveLength(60);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it('tries again what the bus may take later, with backoff', async () => {
    const { bus, scheduler } = virtualBus({ topics: { prices: { partitions: 3 }, [deadLetterTopic]: {} } });
    await publish(bus, [letterOf()]);
    let refusals = 0;
    const faulty = busWhere(bus, { publishBatch: refusing(bus, () => refusals++ < 3) });
    const done = redrive(faulty, {}, { scheduler, backoff: { jitter: 'none' } });
    await passUntil(scheduler, 699);
    expect(storedIn(bus, 'prices')).toHaveLength(0);
    await passUntil(scheduler, 700);
    expect(await done).toMatchObject({ outcome: 'done', sent: 1 });
  });

  it('stopped while the bus refuses, leaves what waits to the next run', async () => {
    const { bus, scheduler } = virtualBus({ topics: { prices: { partitions: 3 }, [deadLetterTopic]: {} } });
    await publish(bus, many(3));
    const faulty = busWhere(bus, { publishBatch: refusing(bus, () => true) });
    const stop = new AbortController();
    const stopped = redrive(faulty, {}, { scheduler, signal: stop.signal });
    await passUntil(scheduler, 100);
    stop.abort();
    expect(await stopped).toMatchObject({ outcome: 'stopped', sent: 0, failed: 0, looked: 0 });
    const done = redrive(bus, {}, { scheduler });
    await passUntil(scheduler, 200);
    expect(await done).toMatchObject({ outcome: 'done', before: 0, sent: 3 });
  });

  it('leaves what is refused when the bus is being stopped to the next run', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(3));
    const stopped = new BusError('bus-not-started', 'the bus is not started');
    const stopping = busWhere(bus, {
      publishBatch: messages => Promise.resolve(messages.map(() => ({ ok: false, error: stopped }))),
    });
    expect(await redrive(stopping)).toMatchObject({ outcome: 'stopped', sent: 0, failed: 0 });
    expect(await redrive(bus)).toMatchObject({ outcome: 'done', sent: 3 });
  });

  it('is not done where its source ends early or breaks', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(3));
    const early = busWhere(bus, { source: () => EMPTY });
    expect(await redrive(early)).toMatchObject({ outcome: 'stopped', sent: 0 });
    const records: RedriveRecord[] = [];
    const audit = (record: RedriveRecord): Promise<void> => Promise.resolve(void records.push(record));
    const broken = busWhere(bus, {
      source: () => new Observable(observer => observer.error(new Error('the disk is gone'))),
    });
    await expect(redrive(broken, {}, { audit })).rejects.toThrow('the disk is gone');
    expect(records.at(-1)).toMatchObject({ kind: 'ended', outcome: 'the disk is gone' });
  });

  it('keeps to a rate', async () => {
    const { bus, scheduler } = virtualBus({ topics: { prices: { partitions: 3 }, [deadLetterTopic]: {} } });
    await publish(bus, many(50));
    const done = redrive(bus, {}, { scheduler, ratePerSecond: 20 });
    const sentBy = async (time: number): Promise<number> => {
      await passUntil(scheduler, time);
      return storedIn(bus, 'prices').length;
    };
    expect(await sentBy(0)).toBe(2);
    expect(await sentBy(1_000)).toBe(22);
    expect(await sentBy(2_000)).toBe(42);
    await passUntil(scheduler, 2_500);
    expect(await done).toMatchObject({ sent: 50 });
  });

  // Kills: a redrive that keeps the process to itself from the first letter to the last.
  it('lets the process do other things meanwhile', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, many(2_000));
    let turns = 0;
    const count = (): void => {
      turns++;
      other = setImmediate(count);
    };
    let other = setImmediate(count);
    await redrive(bus);
    clearImmediate(other);
    expect(turns).toBeGreaterThan(5);
  });

  it('of an empty or missing topic', async () => {
    expect(await redrive(await busWith(deadLetterTopic))).toMatchObject({ outcome: 'done', total: 0 });
    await expect(redrive(await busWith('other'))).rejects.toThrow('no topic cryptorun-dlq');
  });

  it('refuses a rate or a limit out of range', async () => {
    const bus = await busWith(deadLetterTopic);
    await expect(redrive(bus, {}, { ratePerSecond: 0 })).rejects.toThrow('redrive.ratePerSecond');
    await expect(redrive(bus, {}, { limit: 0 })).rejects.toThrow('redrive.limit');
  });
});

describe('a transform', () => {
  it('edits, leaves out, and is told of in the audit log before anything is sent', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1 }), letterOf({ n: 2 }), letterOf({ n: 3 }), letterOf({ n: 4 })]);
    const records: RedriveRecord[] = [];
    const report = await redrive(
      bus,
      {},
      {
        transform: ({ id, payload }) => {
          if (id === idOf(1)) return Buffer.from('edited');
          if (id === idOf(2)) return undefined;
          return id === idOf(3) ? null : Promise.resolve(payload);
        },
        transformId: 'fix',
        audit: record => Promise.resolve(void records.push(record)),
      },
    );
    expect(report).toMatchObject({ matched: 4, sent: 3, edited: 2, skipped: { 'edited away': 1 } });
    expect(payloads(bus).toSorted()).toEqual(['edited', 'null', 'payload 4']);
    const redrives = storedIn(bus, 'prices').map(message => historyOf(message).redrive);
    expect(redrives).toContain(idOf(4));
    expect(redrives.filter(id => id?.includes('-'))).toHaveLength(2);
    expect(records).toMatchObject([
      { kind: 'started', topic: deadLetterTopic, transform: 'fix' },
      ...records.slice(1, 3).map(() => ({ kind: 'edited' })),
      { kind: 'ended', outcome: 'done' },
    ]);
    const edited = records.find(record => record.kind === 'edited' && record.letter === idOf(1));
    expect(edited).toMatchObject({
      redrive: redrives.find(id => id?.startsWith(idOf(1))),
      oldPayload: hash('sha256', 'payload 1'),
      newPayload: hash('sha256', 'edited'),
    });
  });

  it('that fails, or returns what cannot be sent, leaves that letter alone', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1 }), letterOf({ n: 2 }), letterOf({ n: 3 })]);
    const report = await redrive(
      bus,
      {},
      {
        transform: ({ id, payload }) => {
          if (id === idOf(1)) throw new Error('no price');
          return id === idOf(2) ? ('text' as never) : payload;
        },
      },
    );
    expect(report).toMatchObject({ sent: 1, failed: 2 });
    const reasons = report.failures.map(({ reason }) => reason).toSorted();
    expect(reasons).toEqual([
      expect.stringContaining('it returned a string'),
      'the transform failed: no price',
    ]);
  });

  it('that has a letter when the redrive is ended leaves it to the next', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf({ n: 1 })]);
    const stop = new AbortController();
    const options = { transformId: 'fix', signal: stop.signal };
    const ended = await redrive(
      bus,
      {},
      {
        ...options,
        transform: () => {
          stop.abort();
          throw new Error('interrupted');
        },
      },
    );
    expect(ended).toMatchObject({ outcome: 'stopped', looked: 0, failed: 0 });
    const next = await redrive(bus, {}, { transformId: 'fix', transform: ({ payload }) => payload });
    expect(next).toMatchObject({ outcome: 'done', sent: 1 });
  });

  it('has a job of its own', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf()]);
    const jobs = await Promise.all([
      redrive(bus, {}, { dryRun: true }),
      redrive(bus, {}, { dryRun: true, transform: ({ payload }) => payload }),
      redrive(bus, {}, { dryRun: true, transform: () => null }),
      redrive(bus, {}, { dryRun: true, transform: () => null, transformId: 'other' }),
    ]);
    expect(new Set(jobs.map(({ job }) => job)).size).toBe(4);
  });

  it('ends before the first letter where the audit log cannot be written', async () => {
    const bus = await busWith('prices', deadLetterTopic);
    await publish(bus, [letterOf()]);
    const audit = (): Promise<void> => Promise.reject(new Error('no audit log'));
    await expect(redrive(bus, {}, { audit })).rejects.toThrow('no audit log');
    expect(storedIn(bus, 'prices')).toEqual([]);
  });
});

/** Refuses some messages as a full topic does. */
function refusing(
  bus: Parameters<typeof storedIn>[0],
  isRefused: () => boolean,
): Parameters<typeof busWhere>[1]['publishBatch'] & {} {
  return async messages => {
    const results = [];
    for (const message of messages) {
      if (isRefused()) results.push({ ok: false as const, error: new BusError('buffer-full', 'it is full') });
      else results.push({ ok: true as const, receipt: await bus.publish(message) });
    }
    return results;
  };
}
