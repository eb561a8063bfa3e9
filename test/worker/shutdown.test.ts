import { EventEmitter } from 'node:events';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ExitCode } from '../../src/worker/exit-codes.ts';
import { type ShutdownOptions, listenForShutdown } from '../../src/worker/shutdown.ts';

class FakeProcess extends EventEmitter {
  connected?: boolean;
  readonly exits: ExitCode[] = [];

  exit(code: ExitCode): void {
    this.exits.push(code);
  }
}

function listening(
  options: ShutdownOptions = {},
  target: FakeProcess = new FakeProcess(),
): {
  target: FakeProcess;
  told: string[];
  shutdown: ReturnType<typeof listenForShutdown>;
} {
  const told: string[] = [];
  const report = (what: string, signal: string): void => void told.push(`${what} ${signal}`);
  return { target, told, shutdown: listenForShutdown(target, { report, ...options }) };
}

describe('listenForShutdown', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('asks for a graceful end with the first %s', signal => {
    const { target, told, shutdown } = listening();
    expect(shutdown.signal.aborted).toBe(false);
    target.emit(signal);
    expect(shutdown.signal.aborted).toBe(true);
    expect(shutdown.signal.reason).toEqual(new Error(`stopped by ${signal}`));
    expect(target.exits).toEqual([]);
    expect(told).toEqual([`stopping ${signal}`]);
  });

  it.each([
    ['SIGINT', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGTERM', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
  ])('ends at once where %s is followed by %s', (first, second, code) => {
    const { target, told } = listening();
    target.emit(first);
    target.emit(second);
    expect(target.exits).toEqual([code]);
    expect(told.at(-1)).toBe(`ending at once ${second}`);
  });

  it('ends first what must not outlive the process', () => {
    const order: string[] = [];
    const { target } = listening({ atOnce: () => void order.push(`${target.exits.length} exits`) });
    target.emit('SIGTERM');
    expect(order).toEqual([]);
    target.emit('SIGTERM');
    expect([order, target.exits]).toEqual([['0 exits'], [143]]);
  });

  it('asks for a graceful end when who started the process is gone, and does not count that as a second signal', () => {
    const { target, told, shutdown } = listening();
    target.emit('disconnect');
    expect(shutdown.signal.aborted).toBe(true);
    expect(told).toEqual(['stopping disconnect']);
    target.emit('SIGTERM');
    expect(target.exits).toEqual([143]);

    const other = listening();
    other.target.emit('SIGTERM');
    other.target.emit('disconnect');
    expect(other.target.exits).toEqual([]);
    expect(other.told).toEqual(['stopping SIGTERM']);
  });

  it('asks for it also where that one was gone before anybody listened', () => {
    const orphan = new FakeProcess();
    orphan.connected = false;
    expect(listening({}, orphan).shutdown.signal.aborted).toBe(true);
  });

  it('ends with the deadline counted from the first signal', () => {
    const scheduler = new VirtualTimeScheduler();
    const { target, told } = listening({ deadlineMs: 500, scheduler });
    scheduler.flush();
    expect(target.exits).toEqual([]);
    target.emit('SIGTERM');
    scheduler.flush();
    expect(target.exits).toEqual([3]);
    expect(scheduler.now()).toBe(500);
    expect(told).toEqual(['stopping SIGTERM', 'deadline passed SIGTERM']);
  });

  it('leaves no listener and no timer behind', () => {
    const scheduler = new VirtualTimeScheduler();
    const { target, shutdown } = listening({ deadlineMs: 500, scheduler });
    target.emit('SIGINT');
    shutdown.remove();
    scheduler.flush();
    target.emit('SIGINT');
    expect(target.exits).toEqual([]);
    expect(target.eventNames()).toEqual([]);
  });
});
