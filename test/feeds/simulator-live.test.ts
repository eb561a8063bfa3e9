import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { FeedBatch, FeedItem } from '../../src/feeds/feed.ts';
import { simulatorFeed } from '../../src/feeds/simulator.ts';

const START = Date.UTC(2026, 0, 5);
const HISTORY = 10 * 60_000;
const days = 10 / 1440;

interface Live {
  readonly scheduler: VirtualTimeScheduler;
  readonly next: () => Promise<IteratorResult<FeedBatch>>;
  readonly stop: AbortController;
}

function live(position: string | null, batchSize = 512): Live {
  const scheduler = new VirtualTimeScheduler();
  const stop = new AbortController();
  const feed = simulatorFeed({ days, live: true, scheduler, batchSize });
  const iterator = feed.read(position, stop.signal)[Symbol.asyncIterator]();
  return { scheduler, stop, next: () => iterator.next() };
}

/** Lets virtual time run until the promise is settled. */
async function awaited<A>({ scheduler }: Live, promise: Promise<A>): Promise<A> {
  let settled = false;
  void promise.then(() => (settled = true));
  while (!settled) {
    await Promise.resolve();
    scheduler.flush();
  }
  return promise;
}

async function read(from: Live, until: number): Promise<{ items: FeedItem[]; position: string }> {
  const items: FeedItem[] = [];
  let position = '';
  while (position === '' || !items.some(item => item.kind === 'time' && item.time >= until)) {
    const { value } = (await awaited(from, from.next())) as IteratorYieldResult<FeedBatch>;
    items.push(...value.items);
    position = value.position;
  }
  return { items, position };
}

describe('simulatorFeed, live', () => {
  it('goes on behind the history, one simulated second per second', async () => {
    const feed = live(null);
    const { items } = await read(feed, START + HISTORY + 180_000);
    expect(feed.scheduler.now()).toBe(180_000);
    const marks = items.flatMap(item => (item.kind === 'time' ? [item.time - START] : []));
    const minutes = Array.from({ length: 10 }, (_, n) => (n + 1) * 60_000);
    const seconds = Array.from({ length: 180 }, (_, n) => HISTORY + (n + 1) * 1000);
    expect(marks).toEqual([...minutes, ...seconds]);
  });

  it('still has its bars at each end of a minute, trades and books in between', async () => {
    const { items } = await read(live(null), START + HISTORY + 120_000);
    const since = items.filter(
      i => i.kind !== 'time' && i.kind !== 'malformed' && i.value.time > START + HISTORY,
    );
    const ofSecond = (kind: string): Set<number> =>
      new Set(
        since.flatMap(i => ('value' in i && i.kind === kind ? [Math.ceil(i.value.time / 1000) % 60] : [])),
      );
    expect([...ofSecond('price')]).toEqual([0]);
    expect(ofSecond('book').size).toBe(60);
    expect(ofSecond('trade').size).toBeGreaterThan(20);
  });

  it('opens its first live bar where the last one of the history closed', async () => {
    const { items } = await read(live(null), START + HISTORY + 60_000);
    const bars = items.flatMap(i => (i.kind === 'price' && i.value.symbol === 'BTC-USDT' ? [i.value] : []));
    expect(bars.at(-1)?.time).toBe(START + HISTORY + 60_000);
    expect(bars.at(-1)?.open).toBe(bars.at(-2)?.price);
  });

  it('resumes in the middle of a second with the same further items', async () => {
    const end = START + HISTORY + 150_000;
    const whole = await read(live(null), end);
    const begin = await read(live(null, 7), START + HISTORY + 59_000);
    const cut = live(begin.position, 7);
    const { value } = (await awaited(cut, cut.next())) as IteratorYieldResult<FeedBatch>;
    const rest = await read(live(value.position), end);
    expect([...begin.items, ...value.items, ...rest.items]).toEqual(whole.items);
  });

  it('ends at once when the signal aborts during a wait, leaving no timer', async () => {
    const feed = live(null);
    await read(feed, START + HISTORY);
    const pending = feed.next();
    await Promise.resolve();
    feed.stop.abort();
    expect((await pending).done).toBe(true);
    feed.scheduler.flush();
    expect(feed.scheduler.now()).toBe(0);
  });
});
