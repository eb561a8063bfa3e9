import { type Observable, defer, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deadLetterTopic } from '../../../operators/index.ts';
import { settlement } from '../../../src/core/delivery.ts';
import type { Message } from '../../../src/core/message.ts';
import { Runtime } from '../../../src/runtime/runtime.ts';
import { virtualBus } from '../../../src/testing/index.ts';
import { consoleSink } from '../../../src/worker/sinks/console-sink.ts';
import { type NotificationSink, SinkError } from '../../../src/worker/sinks/notification-sink.ts';
import {
  type NotificationSinksOptions,
  notificationSinks,
} from '../../../src/worker/sinks/notification-sinks.ts';
import { type Notice, notice, notices } from './notices.ts';

/** A sink that does with each attempt what the list says, and then always the last of it. */
function scripted(name: string, now: () => number, ...script: (Error | undefined)[]) {
  const attempts: string[] = [];
  const ids = new Set<string>();
  const deliver = (told: Notice, { id }: { id: string }): Observable<unknown> =>
    defer(() => {
      const error = script[Math.min(attempts.length, script.length - 1)];
      attempts.push(`${now()} ${told.title}`);
      ids.add(id);
      return error ? throwError(() => error) : of(1, 2);
    });
  const sink: NotificationSink<Notice> = { name, deliver };
  return { sink, attempts, ids };
}

async function running(
  make: (now: () => number) => readonly NotificationSink<Notice>[],
  options: NotificationSinksOptions = {},
) {
  const { bus, scheduler, ...virtual } = virtualBus({ topics: { notices: {}, [deadLetterTopic]: {} } });
  const sinks = make(() => scheduler.now());
  const pipelines = notificationSinks(notices, sinks, { random: () => 0, ...options });
  const runtime = new Runtime(pipelines, bus, { scheduler });
  await runtime.start();
  const dead: Message[] = [];
  bus.source(deadLetterTopic).subscribe(delivery => {
    dead.push(delivery.message);
    delivery[settlement].ack();
  });
  const tell = (told: Notice): void => {
    void bus.publish({ topic: notices.name, key: told.symbol, payload: notices.codec.encode(told) });
  };
  const sum = (name: string): number => runtime.meter.sum(name);
  return { runtime, tell, dead, sum, runFor: (ms: number) => virtual.runFor(ms) };
}

describe('notificationSinks', () => {
  it('tells every sink, each in a pipeline of its own', async () => {
    const written: string[] = [];
    const { runtime, tell, runFor, sum } = await running(() => [
      consoleSink(text => written.push(text)),
      consoleSink(text => written.push(`2: ${text}`), 'second'),
    ]);
    expect(runtime.pipelines.map(({ pipeline }) => pipeline.name)).toEqual([
      'notify-console',
      'notify-second',
    ]);
    tell(notice('Entry'));
    runFor(10);
    expect(written).toEqual(['Entry\n- because\n\n', '2: Entry\n- because\n\n']);
    expect(sum('stream_notified_total')).toBe(2);
    expect((await runtime.status()).map(({ lag }) => lag)).toEqual([0, 0]);
  });

  it('tries again after 100, 200 and 400 ms with the same id, then makes a dead letter; the key waits', async () => {
    const failing = { attempts: [] as string[], ids: new Set<string>() };
    const { tell, dead, runFor, sum } = await running(now => {
      const made = scripted('hook', now, new SinkError('hook', 'answered 500'));
      Object.assign(failing, made);
      return [made.sink];
    });
    tell(notice('a'));
    runFor(699);
    expect(failing.attempts).toEqual(['0 a', '100 a', '300 a']);
    runFor(1);
    expect(failing.attempts).toHaveLength(4);
    expect(failing.ids.size).toBe(1);
    runFor(10);
    expect(dead.map(({ headers }) => headers.get('x-dlq-reason'))).toEqual(['sink hook: answered 500']);
    expect([sum('stream_retries_total'), sum('stream_handler_error_total')]).toEqual([3, 4]);
  });

  it('keeps the order of a key while others go on, and no sink holds up another', async () => {
    let slow: string[] = [];
    const fast: string[] = [];
    const { tell, runFor } = await running(now => {
      const made = scripted('slow', now, new SinkError('slow', 'no'), undefined);
      slow = made.attempts;
      return [made.sink, consoleSink(text => fast.push(text))];
    });
    tell(notice('a1', 0, 'A'));
    tell(notice('a2', 0, 'A'));
    tell(notice('b1', 0, 'B'));
    runFor(50);
    expect(slow).toEqual(['0 a1', '0 b1']);
    expect(fast).toHaveLength(3);
    runFor(100);
    expect(slow.slice(2)).toEqual(['100 a1', '100 a2']);
  });

  it('waits as long as the other side asks, within the bound', async () => {
    let attempts: string[] = [];
    const { tell, runFor } = await running(now => {
      const made = scripted(
        'hook',
        now,
        new SinkError('hook', 'busy', { retryAfterMs: 2_000 }),
        new SinkError('hook', 'busy', { retryAfterMs: 3_600_000 }),
        undefined,
      );
      attempts = made.attempts;
      return [made.sink];
    });
    tell(notice('a'));
    runFor(20_000);
    expect(attempts).toEqual(['0 a', '2000 a', '12000 a']);
  });

  it('does not try again what is refused for good', async () => {
    let attempts: string[] = [];
    const { tell, dead, runFor } = await running(now => {
      const made = scripted('hook', now, new SinkError('hook', 'answered 404', { retryable: false }));
      attempts = made.attempts;
      return [made.sink];
    });
    tell(notice('a'));
    runFor(20_000);
    expect(attempts).toEqual(['0 a']);
    expect(dead).toHaveLength(1);
  });

  it('makes a failure of what a sink throws before it begins', async () => {
    const throwing: NotificationSink<Notice> = {
      name: 'broken',
      deliver: () => {
        throw new Error('no');
      },
    };
    const { tell, dead, runFor } = await running(() => [throwing], { retries: 0 });
    tell(notice('a'));
    runFor(10);
    expect(dead).toHaveLength(1);
  });

  it('leaves out what is too old by the wall clock, and counts it', async () => {
    const written: string[] = [];
    const { tell, dead, sum, runFor } = await running(() => [consoleSink(text => written.push(text))], {
      maxAgeMs: 1_000,
    });
    runFor(5_000);
    tell(notice('old', 3_999));
    tell(notice('new', 4_000));
    runFor(10);
    expect(written).toEqual(['new\n- because\n\n']);
    expect(sum('stream_expired_total')).toBe(1);
    expect(dead).toEqual([]);
  });
});
