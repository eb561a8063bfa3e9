import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttemptContext, decode, retryWithBackoff } from '../../operators/index.ts';
import { retries } from '../../pipelines/retry.ts';
import { dlqHeaders } from '../../src/core/dead-letter.ts';
import { historyHeaders } from '../../src/core/message-history.ts';
import { retryHeaders } from '../../src/core/retry-message.ts';
import { type Pipeline, type Topic, pipeline, textCodec, topic } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { propertyRuns } from '../property-runs.ts';

const orders: Topic<string> = topic('orders', textCodec, { partitions: 2 });
const retryTopic: Topic<string> = topic('cryptorun-retry', textCodec, { partitions: 3 });
const deadLetters: Topic<string> = topic('cryptorun-dlq', textCodec);
const topics = {
  [orders.name]: orders.settings,
  [retryTopic.name]: retryTopic.settings,
  [deadLetters.name]: {},
};

type Handle = (value: string, context: AttemptContext) => string;

const delays = { firstDelayMs: 1_000, maxDelayMs: 60_000, jitter: 'none' } as const;

function saving(handle: Handle, order: 'key' | 'none', name = 'save'): Pipeline {
  return pipeline(name, ({ source, publisher, state, scheduler, meter, onFailure }) => {
    const common = { ...delays, scheduler, meter };
    return source(orders).pipe(
      decode(orders),
      order === 'key'
        ? retryWithBackoff(handle, { ...common, through: { publisher, state } })
        : retryWithBackoff(handle, { ...common, order, through: { publisher } }),
      onFailure(),
    );
  });
}

/** Remembers each call, and fails so many times a value. */
function recording(times: Readonly<Record<string, number>>): {
  readonly handle: Handle;
  readonly calls: string[];
} {
  const left = new Map(Object.entries(times));
  const calls: string[] = [];
  const handle: Handle = (value, { attempt }) => {
    calls.push(`${value}${attempt}`);
    const more = left.get(value) ?? 0;
    left.set(value, more - 1);
    if (more > 0) throw new Error(`${value} failed`);
    return value;
  };
  return { handle, calls };
}

describe('retries', () => {
  it('does not wait in a drain for what is not yet due; it comes after the restart', async () => {
    const { handle, calls } = recording({ a: 1 });
    const driver = await PipelineDriver.start({
      pipelines: () => [saving(handle, 'none'), retries()],
      topics,
    });
    driver.give(orders, 'a', { key: 'k' });
    driver.runFor(10);
    expect(await driver.drain(30_000)).toBeLessThan(900);
    await driver.restart();
    driver.runFor(1_000);
    expect(calls).toEqual(['a1', 'a2']);
  });

  it.each(['key', 'none'] as const)('sends back what failed, when it is due (order: %s)', async order => {
    const { handle, calls } = recording({ a: 2 });
    const driver = await PipelineDriver.start({
      pipelines: () => [saving(handle, order), retries()],
      topics,
    });
    driver.give(orders, 'a', {
      key: 'k',
      partition: 1,
      timestamp: 42,
      headers: { own: 'header' },
      id: 'ab'.repeat(16),
    });
    driver.runFor(999);
    expect(calls).toEqual(['a1']);
    driver.runFor(2);
    expect(calls).toEqual(['a1', 'a2']);
    driver.runFor(1_990);
    expect(calls).toEqual(['a1', 'a2']);
    driver.runFor(100);
    expect(calls).toEqual(['a1', 'a2', 'a3']);
    const [first, second, third] = driver.messages(orders);
    expect([second?.partition, second?.key, second?.timestamp, second?.id]).toEqual([
      1,
      'k',
      42,
      'ab'.repeat(16),
    ]);
    expect(second?.payload).toEqual(first?.payload);
    expect(second?.headers.get('own')).toBe('header');
    expect(second?.headers.get(historyHeaders.addressee)).toBe('save');
    expect(second?.headers.has(retryHeaders.due)).toBe(false);
    expect(third?.headers.get(historyHeaders.attempts)).toBe('2');
    expect(third?.headers.get(historyHeaders.firstFailureAt)).toBe('0');
    expect(third?.headers.get(historyHeaders.originOffset)).toBe('0');
    expect((await driver.status('save')).inFlight).toBe(0);
    expect((await driver.status('retries')).inFlight).toBe(0);
    driver.stop();
  });

  it('lets short waits pass long ones in a topic of their own', async () => {
    const { handle, calls } = recording({ short: 1 });
    const later: Topic<string> = topic('later', textCodec);
    const waiting = pipeline('wait', ({ source, publisher, scheduler, onFailure }) =>
      source(orders).pipe(
        decode(orders),
        retryWithBackoff(
          value => {
            if (value === 'long') throw new Error('not before tomorrow');
          },
          {
            ...{ firstDelayMs: 86_400_000, maxDelayMs: 86_400_000, jitter: 'none', scheduler, order: 'none' },
            through: { publisher, topic: later.name },
          },
        ),
        onFailure(),
      ),
    );
    const driver = await PipelineDriver.start({
      pipelines: () => [
        saving((value, context) => (value === 'long' ? value : handle(value, context)), 'none'),
        waiting,
        retries({ maxInFlight: 2 }),
        retries({ topic: later.name, maxInFlight: 2 }),
      ],
      topics: { ...topics, [later.name]: later.settings },
    });
    for (let n = 0; n < 5; n++) driver.give(orders, 'long', { key: `k${n}` });
    driver.give(orders, 'short', { key: 'k' });
    driver.runFor(1_500);
    expect(calls).toEqual(['short1', 'short2']);
    expect(await driver.status('retries-later')).toMatchObject({ inFlight: 2, lag: 5 });
    expect(await driver.status('retries')).toMatchObject({ inFlight: 0, lag: 0 });
    driver.stop();
  });

  it('makes a dead letter of what failed in every round, with all its attempts', async () => {
    const { handle, calls } = recording({ a: 9 });
    const driver = await PipelineDriver.start({
      pipelines: () => [saving(handle, 'key'), retries()],
      topics,
    });
    driver.give(orders, 'a');
    driver.runFor(20_000);
    expect(calls).toEqual(['a1', 'a2', 'a3', 'a4']);
    const letters = driver.messages(deadLetters);
    expect(letters.map(({ headers }) => headers.get(dlqHeaders.attempts))).toEqual(['4']);
    expect(letters[0]?.headers.get(dlqHeaders.originOffset)).toBe('0');
    driver.give(orders, 'b');
    driver.runFor(1);
    expect(calls.at(-1)).toBe('b1');
    driver.stop();
  });

  it('goes on counting over a restart of the pipelines and of the bus', async () => {
    const { handle, calls } = recording({ a: 9 });
    const driver = await PipelineDriver.start({
      pipelines: () => [saving(handle, 'key'), retries()],
      topics,
    });
    driver.give(orders, 'a');
    driver.runFor(1_100);
    expect(calls).toEqual(['a1', 'a2']);
    // Long enough for a snapshot, or what was acked comes again.
    driver.runFor(1_500);
    await driver.drain(10_000);
    await driver.bus.stop();
    await driver.bus.start();
    await driver.restart();
    driver.runFor(20_000);
    expect(calls).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(driver.messages(deadLetters).map(({ headers }) => headers.get(dlqHeaders.attempts))).toEqual([
      '4',
    ]);
    driver.stop();
  });

  it('lets only the pipeline that failed see a message again', async () => {
    const failing = recording({ a: 1 });
    const other = recording({});
    const driver = await PipelineDriver.start({
      pipelines: () => [saving(failing.handle, 'none'), saving(other.handle, 'none', 'other'), retries()],
      topics,
    });
    driver.give(orders, 'a');
    driver.runFor(5_000);
    expect(failing.calls).toEqual(['a1', 'a2']);
    expect(other.calls).toEqual(['a1']);
    driver.stop();
  });

  it('lets what comes later of the key wait behind what goes round, other keys not', async () => {
    const { handle, calls } = recording({ a: 2, b: 1 });
    const driver = await PipelineDriver.start({
      pipelines: () => [saving(handle, 'key'), retries()],
      topics,
    });
    driver.give(orders, 'a', { key: 'k' });
    driver.give(orders, 'b', { key: 'k' });
    driver.give(orders, 'x', { key: 'l' });
    driver.runFor(500);
    driver.give(orders, 'c', { key: 'k' });
    driver.runFor(30_000);
    expect(calls.filter(call => !call.startsWith('x'))).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'c1']);
    expect(calls.indexOf('x1')).toBe(1);
    driver.give(orders, 'd', { key: 'k' });
    driver.runFor(1);
    expect(calls.at(-1)).toBe('d1');
    driver.stop();
  });

  it('passes on what cannot be read as such a message as a failure', async () => {
    const driver = await PipelineDriver.start({ pipelines: () => [retries()], topics });
    driver.give(retryTopic, 'strange');
    driver.give(retryTopic, 'lost', {
      headers: { [retryHeaders.topic]: 'gone', [retryHeaders.partition]: '0', [retryHeaders.due]: '0' },
    });
    driver.runFor(100);
    const letters = driver.messages(deadLetters).map(({ headers }) => headers.get(dlqHeaders.failure));
    expect(letters.toSorted()).toEqual(['decode', 'publish']);
    driver.stop();
  });

  // Kills: parking without the list, handling what is not the first, ending a list too early.
  it('keeps the order of first occurrences of each key, whatever fails and whenever it is restarted', async () => {
    const message = fc.record({
      key: fc.constantFrom('k', 'l'),
      failures: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5)),
      afterMs: fc.oneof(fc.constant(0), fc.nat(3_000)),
      restart: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 40 }), async messages => {
        const finished = new Set<number>();
        const early: string[] = [];
        const left = messages.map(({ failures }) => failures);
        const handle: Handle = (value, { attempt }) => {
          const at = Number(value);
          const before = messages.flatMap(({ key }, i) => (i < at && key === messages[at]?.key ? [i] : []));
          for (const i of before) if (!finished.has(i)) early.push(`${at} before ${i}`);
          const more = left[at] ?? 0;
          left[at] = more - 1;
          if (more <= 0 || attempt === 4) finished.add(at);
          if (more > 0) throw new Error('failed');
          return value;
        };
        const driver = await PipelineDriver.start({
          pipelines: () => [saving(handle, 'key'), retries()],
          topics,
          runtime: { snapshotIntervalMs: 700 },
        });
        for (const [at, { key, afterMs, restart }] of messages.entries()) {
          driver.runFor(afterMs);
          if (restart) await driver.restart();
          driver.give(orders, String(at), { key });
        }
        driver.runFor(600_000);
        driver.stop();
        expect(early).toEqual([]);
        expect(finished.size).toBe(messages.length);
        expect(driver.events.filter(({ kind }) => kind === 'failed')).toEqual([]);
      }),
      propertyRuns(150),
    );
  });
});
