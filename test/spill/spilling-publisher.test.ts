import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OptionError } from '../../src/core/option.ts';
import { BusError } from '../../src/core/publisher.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import type { SpillEvent } from '../../src/spill/spill-event.ts';
import type { SpillOptions } from '../../src/spill/spill-options.ts';
import { RecordingMeter } from '../../src/testing/recording-meter.ts';
import { Broker, closeNow, openedSpill, temporaryFolder, text, textOf } from './temporary-spill.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => String(from + at));

const spilled = { tag: 'spilled', durable: false };

const tagsOf = (events: readonly SpillEvent[]): string[] =>
  events.map(({ tag }) => tag).filter(tag => tag !== 'waiting');

describe('while the broker takes messages', () => {
  it('a message goes straight to it, and its receipt is told', async () => {
    const { publisher, broker } = await openedSpill();
    const accepted = await publisher.publish(text('a'));
    expect(accepted).toMatchObject({ tag: 'stored', receipt: { topic: 'prices', offset: 0 } });
    expect(broker.texts).toEqual(['a']);
    const nothing = { isSpilling: false, buffered: 0, spilled: 0, spilledBytes: 0, oldestAgeMs: 0 };
    expect(publisher.status()).toEqual(nothing);
  });

  it('a refusal for good is told to the sender, and nothing is spilled', async () => {
    const { publisher, broker, events } = await openedSpill();
    broker.answer = () => 'topic-not-found';
    await expect(publisher.publish(text('a'))).rejects.toMatchObject({ code: 'topic-not-found' });
    expect([events, publisher.status().buffered]).toEqual([[], 0]);
  });

  it('a message has its id and its time before it is first sent, so that both stay the same', async () => {
    const { broker, send, runFor, clock } = await openedSpill();
    const tried: unknown[] = [];
    broker.answer = ({ id, timestamp }) => {
      tried.push([id, timestamp]);
      return tried.length < 4 ? 'publish-timeout' : 'stored';
    };
    clock.runFor(5);
    send(text('a'));
    await runFor(2000);
    expect(broker.stored[0]?.id).toMatch(/^[0-9a-f]{32}$/);
    expect(tried).toEqual(Array(4).fill([broker.stored[0]?.id, 5]));
  });
});

describe('while the broker is away', () => {
  it('messages wait in memory, then in the folder, and reach it in order', async () => {
    const { publisher, broker, send, told, runFor, events } = await openedSpill({ spillAfterMs: 500 });
    broker.goAway();
    for (const n of numbers(0, 10)) send(text(n));
    await runFor(400);
    expect([told.size, publisher.status().buffered]).toEqual([0, 10]);
    await runFor(200);
    expect([...told.values()]).toEqual(Array(10).fill(spilled));
    for (const n of numbers(10, 2000)) send(text(n));
    await runFor(0);
    expect(told.size).toBe(2000);
    expect(publisher.status()).toMatchObject({ isSpilling: true, spilled: 2000, oldestAgeMs: 600 });
    broker.comeBack();
    await runFor(20_000);
    expect(broker.texts).toEqual(numbers(0, 2000));
    expect(publisher.status()).toMatchObject({ isSpilling: false, spilled: 0, spilledBytes: 0 });
    expect(tagsOf(events)).toEqual(['spilling', 'drained']);
    expect(events.at(-1)).toEqual({ tag: 'drained', messages: 2000 });
  });

  it('a short absence costs no write', async () => {
    const { broker, send, told, runFor, events } = await openedSpill({ spillAfterMs: 500 });
    broker.goAway();
    for (const n of numbers(0, 10)) send(text(n));
    await runFor(200);
    broker.comeBack();
    await runFor(1000);
    expect(broker.texts).toEqual(numbers(0, 10));
    expect([...told.values()].every(word => 'tag' in word && word.tag === 'stored')).toBe(true);
    expect(tagsOf(events)).toEqual([]);
  });

  it.for([
    { memoryMessages: 3, count: 3 },
    { memoryBytes: 600, count: 2 },
  ])('memory that is full is written at once: %o', async ({ count, ...options }) => {
    const { broker, send, told, events, runFor } = await openedSpill(options);
    broker.goAway();
    for (const n of numbers(0, count)) send(text(n));
    expect(told.size).toBe(0);
    send(text('last'));
    await runFor(0);
    expect(told.size).toBe(count + 1);
    expect(events.filter(({ tag }) => tag === 'spilling')).toEqual([
      { tag: 'spilling', reason: 'memory is full', messages: count },
    ]);
  });

  it('what comes while the folder is drained goes behind it', async () => {
    const { broker, send, runFor } = await openedSpill({ memoryMessages: 1 });
    broker.goAway();
    for (const n of numbers(0, 1500)) send(text(n));
    broker.isSlow = true;
    broker.comeBack();
    let next = 1500;
    while (broker.stored.length < 1000) {
      broker.answerAll();
      await runFor(50);
      if (broker.stored.length > 400) send(text(String(next++)));
    }
    broker.isSlow = false;
    broker.answerAll();
    await runFor(10_000);
    expect(broker.texts).toEqual(numbers(0, next));
  });

  it('what comes in the turn in which the last one is answered goes behind it', async () => {
    const { broker, send, runFor, publisher } = await openedSpill({ memoryMessages: 1 });
    broker.isSlow = true;
    for (const n of numbers(0, 2)) send(text(n));
    await runFor(50);
    broker.answerAll();
    await runFor(50);
    expect(broker.sending).toHaveLength(1);
    send(text('2'));
    broker.answerAll();
    await runFor(50);
    broker.answerAll();
    expect(broker.texts).toEqual(numbers(0, 3));
    expect(publisher.status()).toMatchObject({ isSpilling: false, buffered: 0 });
  });

  it('an absence that begins when the folder has just been drained is one like any other', async () => {
    const first = await openedSpill();
    first.broker.goAway();
    for (const n of numbers(0, 3)) first.send(text(n));
    await first.publisher.close();
    let again = true;
    const { broker, send, runFor } = await openedSpill({
      dir: first.dir,
      memoryMessages: 1,
      report: ({ tag }) => {
        if (tag !== 'drained' || !again) return;
        again = false;
        broker.goAway();
        for (const n of numbers(3, 6)) send(text(n));
      },
    });
    await runFor(50);
    broker.comeBack();
    await runFor(20_000);
    expect(broker.texts).toEqual(numbers(0, 6));
  });

  it('a broker that does not answer holds nothing up, and its late answer counts', async () => {
    const { broker, send, told, runFor, publisher } = await openedSpill({ spillAfterMs: 100 });
    broker.isSlow = true;
    for (const n of numbers(0, 3)) send(text(n));
    await runFor(300);
    expect([...told.values()]).toEqual(Array(3).fill(spilled));
    expect(broker.sending).toHaveLength(1);
    broker.isSlow = false;
    broker.answerAll();
    await runFor(1000);
    expect(broker.texts).toEqual(numbers(0, 3));
    expect(publisher.status().isSpilling).toBe(false);
  });

  it('a bus that is not started, and one that throws, are away', async () => {
    const { broker, send, runFor, events } = await openedSpill();
    broker.goAway('bus-not-started');
    send(text('a'));
    await runFor(100);
    broker.answer = () => {
      throw new TypeError('no connection');
    };
    await runFor(200);
    const causes = events.flatMap(event => (event.tag === 'waiting' ? [event.cause] : []));
    expect(causes[0]?.code).toBe('bus-not-started');
    expect(causes.at(-1)).toMatchObject({ code: 'storage', cause: new TypeError('no connection') });
    broker.comeBack();
    await runFor(2000);
    expect(broker.texts).toEqual(['a']);
  });

  it('is asked again after longer and longer, until it takes one', async () => {
    const { broker, send, runFor, events } = await openedSpill();
    broker.goAway();
    send(text('a'));
    await runFor(1600);
    broker.comeBack();
    await runFor(2000);
    broker.goAway();
    send(text('b'));
    const waits = events.flatMap(event => (event.tag === 'waiting' ? [event.delayMs] : []));
    expect(waits).toEqual([100, 200, 400, 800, 1600, 100]);
  });

  it('a topic that is full keeps others waiting only until they are asked in their turn', async () => {
    const { broker, send, runFor } = await openedSpill();
    broker.goAway();
    for (const topic of ['full', 'free']) send(text(topic, 'k', topic));
    await runFor(10);
    broker.answer = ({ topic }) => (topic === 'full' ? 'buffer-full' : 'stored');
    for (const n of numbers(0, 5)) send(text(n, n, 'free'));
    await runFor(5000);
    expect(broker.texts).toEqual(['free', ...numbers(0, 5)]);
    broker.comeBack();
    await runFor(10_000);
    expect(broker.texts.at(-1)).toBe('full');
  });
});

describe('a spilled message that the broker refuses for good', () => {
  it('is set aside and reported, and the rest goes on', async () => {
    const meter = new RecordingMeter();
    const { publisher, broker, send, runFor, events, told, dir } = await openedSpill({ meter });
    broker.goAway();
    for (const n of numbers(0, 10)) send(text(n));
    await runFor(1000);
    broker.answer = message => (Number(textOf(message)) % 4 === 1 ? 'message-too-large' : 'stored');
    await runFor(3000);
    expect(told.get('1')).toEqual(spilled);
    expect(broker.texts).toEqual(['0', '2', '3', '4', '6', '7', '8']);
    const refused = [...publisher.refused()];
    expect(refused.map(({ message }) => message && textOf(message))).toEqual(['1', '5', '9']);
    expect(refused[0]).toMatchObject({
      time: 0,
      reason: 'message-too-large: told to refuse: message-too-large',
    });
    expect(events.filter(({ tag }) => tag === 'refused')[0]).toMatchObject({
      topic: 'prices',
      key: 'k',
      folder: `${dir}/refused`,
      cause: { code: 'message-too-large' },
    });
    expect(tagsOf(events)).toEqual(['spilling', 'refused', 'refused', 'refused', 'drained']);
    expect(meter.count('stream_spill_refused_total')).toBe(3);
    await publisher.close();
    const again = await openedSpill({ dir });
    expect([...again.publisher.refused()]).toEqual(refused);
  });
});

describe('limits', () => {
  const rejected = async (options: Partial<SpillOptions>, waitMs: number): Promise<BusError> => {
    const { publisher, broker, send, runFor } = await openedSpill({ memoryMessages: 1, ...options });
    broker.goAway();
    for (const n of numbers(0, 20)) send(text(n));
    await runFor(waitMs);
    const error = await publisher.publish(text('x'.repeat(7500))).catch((cause: unknown) => cause);
    broker.comeBack();
    await runFor(20_000);
    expect(broker.texts).toEqual(numbers(0, 20));
    await expect(publisher.publish(text('again'))).resolves.toMatchObject({ tag: 'stored' });
    return error instanceof BusError ? error : expect.fail('nothing was thrown');
  };

  it('past maxBytes publishing is refused, and what was accepted is kept', async () => {
    const error = await rejected({ maxBytes: 8192 }, 10);
    expect([error.code, error.retryable]).toEqual(['buffer-full', true]);
    expect(error.message).toMatch(
      /\d+ bytes are used, and maxBytes is 8KB: bring the broker back or raise the limit/,
    );
  });

  it('once the oldest is too old likewise', async () => {
    const error = await rejected({ maxAgeMs: 60_000 }, 61_000);
    expect(error.code).toBe('buffer-full');
    expect(error.message).toContain('the oldest message waits for 61000 ms, and maxAgeMs is 1m');
  });

  it('a message that could never be written is refused at once', async () => {
    const { publisher } = await openedSpill({ maxBytes: 4096 });
    const error = publisher.publish(text('x'.repeat(5000)));
    await expect(error).rejects.toMatchObject({ code: 'message-too-large', retryable: false });
  });

  it.for([
    { memoryMessages: 0 },
    { memoryBytes: 0 },
    { spillAfterMs: 0 },
    { maxBytes: 1 },
    { maxAgeMs: 0 },
    { maxInFlight: 0 },
    { backoff: { factor: 0 } },
  ])('an option out of its range is refused: %o', async options => {
    const made = createSpillingPublisher(new Broker(), { dir: temporaryFolder(), ...options });
    await expect(made).rejects.toThrow(OptionError);
  });
});

describe('closing', () => {
  it('waits for answers, refuses what comes, and leaves nothing behind where all were stored', async () => {
    const { publisher, broker, send, told, dir } = await openedSpill();
    broker.isSlow = true;
    for (const n of numbers(0, 3)) send(text(n, n));
    const closing = publisher.close();
    await expect(publisher.publish(text('late'))).rejects.toMatchObject({ code: 'bus-not-started' });
    broker.answerAll();
    await closing;
    expect([...told.values()].map(word => 'tag' in word && word.tag)).toEqual(['stored', 'stored', 'stored']);
    const again = await openedSpill({ dir });
    expect(again.publisher.status().isSpilling).toBe(false);
  });

  it('writes what waits for a broker that is away at once', async () => {
    const { publisher, broker, send, told } = await openedSpill();
    broker.goAway();
    for (const n of numbers(0, 3)) send(text(n));
    await publisher.close();
    expect([...told.values()]).toEqual([spilled, spilled, spilled]);
  });

  it('writes what is not answered to the folder, from where the next process goes on', async () => {
    const first = await openedSpill();
    first.broker.isSlow = true;
    for (const n of numbers(0, 1000)) first.send(text(n));
    await closeNow(first.publisher, first.clock);
    expect(first.told.size).toBe(1000);
    const second = await openedSpill({ dir: first.dir });
    second.send(text('1000'));
    await second.runFor(1000);
    expect(second.broker.texts).toEqual(numbers(0, 1001));
    expect(second.events[0]).toEqual({
      tag: 'spilling',
      reason: 'messages of an earlier run wait',
      messages: 1000,
    });
  });
});

describe('one folder', () => {
  it('belongs to one publisher of a process', async () => {
    const { dir } = await openedSpill();
    const error = await createSpillingPublisher(new Broker(), { dir }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'storage' });
    expect(String(error)).toContain('open in this process');
  });

  it('belongs to one process', async () => {
    const dir = temporaryFolder();
    const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
    const running = spawn(process.execPath, [child, dir, '0', '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void running.kill('SIGKILL'));
    await new Promise(resolve => running.stdout.once('data', resolve));
    const error = await createSpillingPublisher(new Broker(), { dir }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'storage', cause: { code: 'locked' } });
    expect(String(error)).toContain(`process ${running.pid} on`);
    expect(String(error)).toContain(`Stop process ${running.pid} first`);
  });
});

it('gauges what waits', async () => {
  const meter = new RecordingMeter();
  const { broker, send, runFor, publisher, clock } = await openedSpill({ meter, memoryMessages: 2 });
  broker.goAway();
  for (const n of numbers(0, 5)) send(text(n));
  await runFor(50);
  const read = (): unknown => [
    meter.read('stream_spilled_messages'),
    meter.read('stream_spill_oldest_age_ms'),
    meter.read('stream_buffered', { stage: 'spill' }),
    meter.count('stream_spilled_total'),
  ];
  expect(read()).toEqual([5, 50, 5, 5]);
  expect(meter.read('stream_spilled_bytes')).toBeGreaterThan(200);
  broker.comeBack();
  await runFor(1000);
  expect(read()).toEqual([0, 0, 0, 5]);
  await closeNow(publisher, clock);
  expect(meter.read('stream_spilled_messages')).toBeUndefined();
});
