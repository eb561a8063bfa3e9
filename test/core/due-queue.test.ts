import * as fc from 'fast-check';
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { DueQueue } from '../../src/core/due-queue.ts';

describe('DueQueue', () => {
  it('hands out each item at its time, those of one time in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(30))), steps => {
        const scheduler = new VirtualTimeScheduler(VirtualAction);
        const out: { readonly n: number; readonly at: number }[] = [];
        const queue = new DueQueue<number>(scheduler, n => out.push({ n, at: scheduler.now() }));
        const due: { readonly n: number; readonly at: number }[] = [];
        steps.forEach(([atMs, inMs], n) => {
          scheduler.schedule(() => {
            due.push({ n, at: atMs + inMs });
            queue.add(n, atMs + inMs);
          }, atMs);
        });
        scheduler.flush();
        // Sorting is stable, and items are added in the order of `due`.
        expect(out).toEqual(due.toSorted((a, b) => a.at - b.at));
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('keeps one timer, for the first that is due', () => {
    const scheduler = new VirtualTimeScheduler(VirtualAction);
    const queue = new DueQueue<number>(scheduler, () => undefined);
    for (const at of [50, 40, 60, 70]) queue.add(at, at);
    expect(scheduler.actions.filter(({ closed }) => !closed).length).toBe(1);
    queue.clear();
    expect(scheduler.actions.filter(({ closed }) => !closed).length).toBe(0);
    expect(queue.size).toBe(0);
  });

  it('hands out later what is added while it hands out, so that it ends', () => {
    const scheduler = new VirtualTimeScheduler(VirtualAction);
    let handed = 0;
    const queue: DueQueue<number> = new DueQueue(scheduler, n => {
      handed++;
      if (n > 0) queue.add(n - 1, scheduler.now());
    });
    queue.add(3, 10);
    scheduler.flush();
    expect(handed).toBe(4);
    expect(scheduler.now()).toBe(10);
  });

  it('waits for longer than a timer can', () => {
    const scheduler = new VirtualTimeScheduler(VirtualAction);
    const out: number[] = [];
    const queue = new DueQueue<number>(scheduler, () => out.push(scheduler.now()));
    queue.add(1, 5e9);
    expect(Math.max(...scheduler.actions.map(({ delay }) => delay))).toBeLessThan(2 ** 31);
    scheduler.flush();
    expect(out).toEqual([5e9]);
  });

  it('hands out at once, but not within the call, what is overdue', () => {
    const scheduler = new VirtualTimeScheduler(VirtualAction);
    const out: number[] = [];
    const queue = new DueQueue<number>(scheduler, n => out.push(n));
    queue.add(1, -5);
    expect(out).toEqual([]);
    scheduler.flush();
    expect(out).toEqual([1]);
    expect(scheduler.now()).toBe(0);
  });
});
