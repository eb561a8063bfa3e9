import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type EventBus, createEventBus, defaultTopicSettings } from '../../src/index.ts';
import { whileOwner } from '../../src/worker/while-owner.ts';

const ownership = { topic: 'positions', group: 'feed-a' };

async function startedBus(): Promise<EventBus> {
  const bus = createEventBus({ kind: 'stub' });
  await bus.start();
  await bus.createTopic({ name: ownership.topic, settings: defaultTopicSettings });
  return bus;
}

/** Work that goes on until it is told to stop. */
function worker(name: string, told: string[]): (signal: AbortSignal) => Promise<void> {
  return async signal => {
    told.push(`${name} begins`);
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
    told.push(`${name} ends`);
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

describe('work that one process does', () => {
  it('is done by the first, and by the next when that one ends', async () => {
    const bus = await startedBus();
    const told: string[] = [];
    const [one, two] = [new AbortController(), new AbortController()];
    const first = whileOwner(bus, ownership, one.signal, worker('one', told));
    const second = whileOwner(bus, ownership, two.signal, worker('two', told));
    await turns(3);
    expect(told).toEqual(['one begins']);
    one.abort();
    await first;
    await turns(3);
    expect(told).toEqual(['one begins', 'one ends', 'two begins']);
    two.abort();
    await second;
    expect(told.at(-1)).toBe('two ends');
  });

  it('is not done again once it has come to its end', async () => {
    const bus = await startedBus();
    const stop = new AbortController();
    let times = 0;
    const done = (): Promise<boolean> => Promise.resolve(++times > 0);
    const all = [
      whileOwner(bus, ownership, stop.signal, done),
      whileOwner(bus, ownership, stop.signal, done),
    ];
    await turns(3);
    expect(times).toBe(1);
    stop.abort();
    await Promise.all(all);
  });

  it('is left to another by whoever fails at it', async () => {
    const bus = await startedBus();
    const stop = new AbortController();
    const told: string[] = [];
    const failing = whileOwner(bus, ownership, stop.signal, () => Promise.reject(new Error('no')));
    const next = whileOwner(bus, ownership, stop.signal, worker('two', told));
    await expect(failing).rejects.toThrow('no');
    await turns(3);
    expect(told).toEqual(['two begins']);
    stop.abort();
    await next;
  });

  it('is not begun where the bus cannot be read', async () => {
    const bus = createEventBus({ kind: 'stub' });
    const never = new AbortController().signal;
    await expect(whileOwner(bus, ownership, never, worker('one', []))).rejects.toThrow('not started');
  });
});
