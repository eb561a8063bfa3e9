import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Feeds } from '../../src/worker/feeds.ts';
import { silentLogger } from '../../src/worker/logger.ts';
import { runUntil } from './run-until.ts';

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve()));

describe('Feeds', () => {
  it('starts a feed that fails again with backoff, and says what is wrong meanwhile', async () => {
    const scheduler = new VirtualTimeScheduler();
    const starts: number[] = [];
    const run = (signal: AbortSignal): Promise<void> => {
      starts.push(scheduler.now());
      return starts.length <= 3 ? Promise.reject(new Error('no route')) : untilAborted(signal);
    };
    const feeds = new Feeds([{ name: 'live', run }], scheduler, silentLogger);
    feeds.start();
    await runUntil(scheduler, 500);
    expect(feeds.problems).toEqual(['feed live: no route']);
    await runUntil(scheduler, 60_000);
    expect(starts).toEqual([0, 1_000, 3_000, 7_000]);
    await feeds.stop();
  });

  it('tells which feeds it runs, and not those that wait for their turn', async () => {
    const scheduler = new VirtualTimeScheduler();
    const feed = { name: 'market', run: untilAborted };
    const running = ({ series }: Feeds): unknown[] => series.map(({ tags, value }) => [tags['feed'], value]);
    let turn: () => void = () => undefined;
    const mine = new Promise<void>(resolve => (turn = resolve));
    const feeds = new Feeds([feed], scheduler, silentLogger, ({ name, run }) => ({
      name,
      run: signal => mine.then(() => run(signal)),
    }));
    feeds.start();
    await runUntil(scheduler, 100);
    expect(running(feeds)).toEqual([['market', 0]]);
    turn();
    await runUntil(scheduler, 200);
    expect(running(feeds)).toEqual([['market', 1]]);
    await feeds.stop();
    expect(running(feeds)).toEqual([['market', 0]]);
  });

  it('leaves a feed that has ended alone, and settles once all have', async () => {
    const scheduler = new VirtualTimeScheduler();
    let runs = 0;
    const run = (): Promise<number> => Promise.resolve(runs++);
    const feeds = new Feeds([{ name: 'file', run }], scheduler, silentLogger);
    feeds.start();
    await feeds.ended;
    expect(runs).toBe(1);
    expect(feeds.problems).toEqual([]);
  });

  it('stops while it waits for the next start, and leaves no timer', async () => {
    const scheduler = new VirtualTimeScheduler();
    const run = (): Promise<void> => Promise.reject(new Error('no route'));
    const feeds = new Feeds([{ name: 'live', run }], scheduler, silentLogger);
    feeds.start();
    await runUntil(scheduler, 100);
    await feeds.stop();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
