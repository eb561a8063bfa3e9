import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { inTime } from '../../src/core/in-time.ts';

const late = (): string => 'late';

function timersOf(scheduler: VirtualTimeScheduler): number {
  return scheduler.actions.filter(({ closed }) => !closed).length;
}

describe('inTime', () => {
  it('answers and leaves no timer', async () => {
    const scheduler = new VirtualTimeScheduler();
    expect(await inTime(Promise.resolve(7), 100, scheduler, late)).toBe(7);
    expect(timersOf(scheduler)).toBe(0);
  });

  it('passes a failure on and leaves no timer', async () => {
    const scheduler = new VirtualTimeScheduler();
    await expect(inTime(Promise.reject(new Error('no')), 100, scheduler, late)).rejects.toThrow('no');
    expect(timersOf(scheduler)).toBe(0);
  });

  it('answers for what takes too long, then and not before, and drops what comes afterwards', async () => {
    const scheduler = new VirtualTimeScheduler();
    const slow = Promise.withResolvers<string>();
    const answer = inTime(slow.promise, 100, scheduler, () => `late at ${scheduler.now()}`);
    scheduler.schedule(() => slow.reject(new Error('afterwards')), 200);
    scheduler.maxFrames = 150;
    scheduler.flush();
    expect(await answer).toBe('late at 100');
    scheduler.maxFrames = 250;
    scheduler.flush();
    await expect(slow.promise).rejects.toThrow('afterwards');
  });

  it('fails as it is told to for what takes too long', async () => {
    const scheduler = new VirtualTimeScheduler();
    const answer = inTime(new Promise(() => undefined), -1, scheduler, () => {
      throw new Error('no answer');
    });
    scheduler.flush();
    await expect(answer).rejects.toThrow('no answer');
  });
});
