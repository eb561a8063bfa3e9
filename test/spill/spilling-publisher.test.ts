import { describe, expect, it } from 'vitest';
import { BusError } from '../../src/core/publisher.ts';
import { closeNow, openedSpill, text } from './temporary-spill.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => String(from + at));

describe('while the broker takes messages', () => {
  it('a message goes straight to it, and its receipt is told', async () => {
    const { publisher, broker, dir } = await openedSpill();
    const accepted = await publisher.publish(text('a'));
    expect(accepted).toMatchObject({ tag: 'stored', receipt: { topic: 'prices', offset: 0 } });
    expect(broker.texts).toEqual(['a']);
    expect(publisher.status()).toEqual({
      isSpilling: false,
      buffered: 0,
      spilled: 0,
      spilledBytes: 0,
      oldestAgeMs: 0,
    });
    expect(dir).not.toBe('');
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
    expect([...told.values()]).toEqual(Array(10).fill({ tag: 'spilled', durable: false }));
    for (const n of numbers(10, 2000)) send(text(n));
    await runFor(0);
    expect(told.size).toBe(2000);
    expect(publisher.status()).toMatchObject({ isSpilling: true, spilled: 2000 });
    broker.comeBack();
    await runFor(20_000);
    expect(broker.texts).toEqual(numbers(0, 2000));
    expect(publisher.status()).toMatchObject({ isSpilling: false, spilled: 0, spilledBytes: 0 });
    expect(events.map(({ tag }) => tag).filter(tag => tag !== 'waiting')).toEqual(['spilling', 'drained']);
    expect(events.at(-1)).toEqual({ tag: 'drained', messages: 2000 });
  });

  it('what was spilled outlives the process', async () => {
    const first = await openedSpill();
    first.broker.goAway();
    for (const n of numbers(0, 1000)) first.send(text(n));
    await first.runFor(1000);
    await closeNow(first.publisher, first.clock);
    const second = await openedSpill({ dir: first.dir });
    second.send(text('1000'));
    await second.runFor(1000);
    expect(second.broker.texts).toEqual(numbers(0, 1001));
  });
});

it('closed, it refuses', async () => {
  const { publisher, clock } = await openedSpill();
  await closeNow(publisher, clock);
  await expect(publisher.publish(text('a'))).rejects.toThrow(BusError);
});
