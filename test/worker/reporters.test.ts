import { isRight } from 'fp-ts/lib/Either.js';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { settlement } from '../../src/core/delivery.ts';
import type { Message } from '../../src/core/message.ts';
import { BusError } from '../../src/core/publisher.ts';
import type { Topic } from '../../src/core/topic.ts';
import type { Series } from '../../src/runtime/series.ts';
import { type VirtualBus, virtualBus } from '../../src/testing/index.ts';
import { auditTopic, healthTopic, metricsTopic, reportTopics } from '../../src/worker/report-topics.ts';
import { auditLog, reportHealth, reportMetrics } from '../../src/worker/reporters.ts';
import { runUntil } from './run-until.ts';

let virtual: VirtualBus;
let failures: unknown[];
beforeEach(async () => {
  virtual = virtualBus();
  failures = [];
  for (const spec of reportTopics) await virtual.bus.createTopic(spec);
});

/** Everything in a topic, decoded. */
async function storedIn<A>(topic: Topic<A>): Promise<{ message: Message; value: A }[]> {
  const stored: { message: Message; value: A }[] = [];
  const { bus, scheduler } = virtual;
  bus.source(topic.name, { untilEnd: true }).subscribe(delivery => {
    delivery[settlement].ack();
    const decoded = topic.codec.decode(delivery.message.payload!);
    if (!isRight(decoded)) throw decoded.left;
    stored.push({ message: delivery.message, value: decoded.right });
  });
  await runUntil(scheduler, scheduler.frame + 1);
  return stored;
}

const reporting = (name = 'w1') => ({
  name,
  bus: virtual.bus,
  scheduler: virtual.scheduler,
  failed: (error: unknown): void => void failures.push(error),
});

describe('report topics', () => {
  it('have the partitions of the configuration', () => {
    const partitions = reportTopics.map(({ name, settings }) => [name, settings.partitions]);
    expect(partitions).toEqual([
      ['cryptorun-metrics', 3],
      ['cryptorun-health-checks', 1],
      ['cryptorun-audit-log', 6],
    ]);
  });
});

describe('reportMetrics', () => {
  it('writes one message a metric each 10 s, keyed by its name', async () => {
    let value = 1;
    const series = (): Series[] => [
      { name: 'a_total', tags: { pipeline: 'x' }, kind: 'counter', value: value++ },
      { name: 'a_total', tags: { pipeline: 'y' }, kind: 'counter', value: 7 },
      { name: 'b', tags: {}, kind: 'gauge', value: 0.5 },
      { name: 'broken', tags: {}, kind: 'gauge', value: NaN },
    ];
    const ticker = reportMetrics(() => Promise.resolve(series()), reporting());
    await runUntil(virtual.scheduler, 20_000);
    await ticker.stop();
    const stored = await storedIn(metricsTopic);
    expect(stored.map(({ message }) => [message.key, message.timestamp])).toEqual(
      expect.arrayContaining([
        ['a_total', 10_000],
        ['a_total', 20_000],
        ['b', 10_000],
        ['b', 20_000],
      ]),
    );
    expect(stored).toHaveLength(4);
    expect(stored.find(({ message }) => message.key === 'a_total')?.value).toEqual({
      worker: 'w1',
      time: 10_000,
      metric: 'a_total',
      kind: 'counter',
      series: [
        { tags: { pipeline: 'x' }, value: 1 },
        { tags: { pipeline: 'y' }, value: 7 },
      ],
    });
    expect(failures).toEqual([]);
  });

  it('tells what is refused and goes on', async () => {
    await virtual.bus.deleteTopic('cryptorun-metrics');
    const series: Series[] = [{ name: 'b', tags: {}, kind: 'gauge', value: 1 }];
    const ticker = reportMetrics(() => Promise.resolve(series), reporting());
    await runUntil(virtual.scheduler, 20_000);
    await ticker.stop();
    expect(failures).toHaveLength(2);
    expect(String(failures[0])).toContain('1 of 1 messages to cryptorun-metrics were refused');
  });
});

describe('reportHealth', () => {
  it('writes where the worker stands, keyed by its name', async () => {
    const report = { ready: false, reasons: ['the worker is draining'], pipelines: [] };
    const ticker = reportHealth(() => Promise.resolve(report), reporting());
    await runUntil(virtual.scheduler, 10_000);
    await ticker.stop();
    const [stored] = await storedIn(healthTopic);
    expect(stored?.message.key).toBe('w1');
    expect(stored?.value).toEqual({ worker: 'w1', time: 10_000, ...report });
  });
});

describe('auditLog', () => {
  it('writes who changed what, keyed by the actor', async () => {
    await auditLog(reporting('alice')).record('topic-deleted', 'old-topic', { reason: 'unused' });
    const [stored] = await storedIn(auditTopic);
    expect(stored?.message.key).toBe('alice');
    expect(stored?.value).toEqual({
      actor: 'alice',
      time: 0,
      action: 'topic-deleted',
      subject: 'old-topic',
      details: { reason: 'unused' },
    });
  });

  it('writes again what the bus may take later, and gives up after some seconds', async () => {
    const refusal = new BusError('unavailable', 'no broker answers');
    let refusals = 3;
    const refusing: Pick<EventBus, 'publishBatch'> = {
      publishBatch: messages =>
        refusals-- > 0 ? Promise.reject(refusal) : virtual.bus.publishBatch(messages),
    };
    const log = auditLog({ ...reporting('alice'), bus: refusing });
    const recorded = log.record('control', 'pause');
    await runUntil(virtual.scheduler, 5_000);
    await recorded;
    expect((await storedIn(auditTopic)).map(({ value }) => value.subject)).toEqual(['pause']);
    refusals = Infinity;
    const refused = log.record('control', 'resume');
    await runUntil(virtual.scheduler, 20_000);
    await refused;
    expect(failures).toEqual([refusal]);
  });

  it('tells what could not be stored and does not throw', async () => {
    await virtual.bus.deleteTopic('cryptorun-audit-log');
    await auditLog(reporting('alice')).record('control', 'pause');
    expect(failures).toHaveLength(1);
  });
});
