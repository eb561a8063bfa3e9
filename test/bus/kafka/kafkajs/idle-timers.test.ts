import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stopIdleTimers } from '../../../../src/bus/kafka/kafkajs/idle-timers.ts';

interface RequestQueue {
  throttledUntil: number;
  readonly pending: unknown[];
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

const RequestQueueClass = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => RequestQueue;

describe('the request queue of kafkajs', () => {
  let queue: RequestQueue;

  beforeEach(() => {
    stopIdleTimers();
    vi.useFakeTimers();
    queue = new RequestQueueClass({ maxInFlightRequests: null, logger: { debug: () => undefined } });
  });

  afterEach(() => {
    queue.destroy();
    vi.useRealTimers();
  });

  it.each([-1, 0, 1])('sets no timer while nothing waits, %i ms from the end of a throttling', leftMs => {
    queue.throttledUntil = Date.now() + leftMs;
    queue.scheduleCheckPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([-1, 0, 1, 500])('looks later, never at once, %i ms from the end of a throttling', leftMs => {
    const timeout = vi.spyOn(globalThis, 'setTimeout');
    queue.pending.push({});
    queue.throttledUntil = Date.now() + leftMs;
    queue.scheduleCheckPendingRequests();
    expect(timeout.mock.calls.map(([, ms]) => ms)).toEqual([leftMs > 0 ? leftMs : 10]);
  });
});
