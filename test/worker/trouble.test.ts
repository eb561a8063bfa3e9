import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { circuitBreaker, decode, mapValues, publishTo, retryWithBackoff } from '../../operators/index.ts';
import { stubBus } from '../../src/bus/embedded/stub.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { rawCodec, textCodec } from '../../src/core/codec.ts';
import { BusError } from '../../src/core/publisher.ts';
import { topic } from '../../src/core/topic.ts';
import { type Pipeline, pipeline } from '../../src/runtime/pipeline.ts';
import type { Logger } from '../../src/worker/logger.ts';
import type { RunningWorker } from '../../src/worker/worker-options.ts';
import { runWorker } from '../../src/worker/worker.ts';

/* What a worker shows of what it waits for, and that it does what it says: a process with HTTP, logs and reports. */

const orders = topic('orders', textCodec);
const paid = topic('paid', textCodec);
const letters = topic('cryptorun-dlq', rawCodec);

/** A worker that runs one pipeline, with what it logs. */
async function working(subject: Pipeline, bus: EventBus = stubBus()) {
  const logged: { readonly level: string; readonly text: string; readonly fields: object }[] = [];
  const log = (level: string) => (fields: object, text: string) => void logged.push({ level, text, fields });
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const stop = new AbortController();
  const worker = await new Promise<RunningWorker>((resolve, reject) => {
    const code = runWorker({
      name: 'w1',
      pipelines: [subject],
      topics: [orders, paid, letters],
      bus,
      logger,
      signal: stop.signal,
      reportIntervalMs: 20,
      started: resolve,
    });
    code.catch(reject);
    onTestFinished(async () => {
      stop.abort();
      await code;
    });
  });
  return { ...worker, logged };
}

type Working = Awaited<ReturnType<typeof working>>;

const order = (bus: EventBus, text: string): Promise<unknown> =>
  bus.publish({ topic: orders.name, key: text, payload: Buffer.from(text) });

async function readiness({ http }: Working): Promise<unknown> {
  const response = await fetch(`${http.url}/health/ready`);
  return [response.status, await response.json()];
}

const metrics = async ({ http }: Working): Promise<string> => (await fetch(`${http.url}/metrics`)).text();

/** What a topic holds, as it comes. */
async function heard(bus: EventBus, name: string): Promise<readonly string[]> {
  const texts: string[] = [];
  await bus.subscribe(name, ({ payload }) => void texts.push(String(payload)), { group: `test-${name}` });
  return texts;
}

describe('a worker whose service is away', () => {
  it('tells of its open circuit in log, health, metrics and audit log, and of what becomes of it', async () => {
    const service = { isAway: true, calls: 0 };
    const clock = new VirtualTimeScheduler();
    const pay = (text: string): string => {
      service.calls++;
      if (service.isAway) throw new Error('no answer');
      return text;
    };
    const worker = await working(
      pipeline('payments', ({ source, publisher, onFailure, circuitChanged, meter }) =>
        source(orders).pipe(
          decode(orders),
          circuitBreaker(retryWithBackoff(pay, { retries: 0 }), {
            name: 'circuit',
            onChange: circuitChanged,
            scheduler: clock,
            meter,
          }),
          publishTo(paid, publisher),
          onFailure(),
        ),
      ),
    );
    const { bus } = worker;
    const audited = await heard(bus, 'cryptorun-audit-log');
    const reports = await heard(bus, 'cryptorun-health-checks');
    const done = await heard(bus, paid.name);
    const buried = await heard(bus, letters.name);
    for (let n = 0; n < 12; n++) await order(bus, `o${n}`);

    // Five dead letters are enough to know; the backlog waits, untried.
    await expect.poll(() => buried).toEqual(['o0', 'o1', 'o2', 'o3', 'o4']);
    expect(service.calls).toBe(5);
    const isOpen = 'pipeline payments: circuit is open: 5 failed in a row, the last: no answer';
    expect(await readiness(worker)).toEqual([503, { ready: false, reasons: [isOpen] }]);
    expect(await metrics(worker)).toMatch(/stream_circuit_state\{[^}]*"circuit"[^}]*\} 2\n/);
    expect(await metrics(worker)).toMatch(/stream_circuit_opened_total\{[^}]*\} 1\n/);
    expect(await metrics(worker)).toMatch(/stream_buffered\{[^}]*"circuit"[^}]*\} 7\n/);
    await expect.poll(() => reports.at(-1)).toContain(isOpen);

    // Cooled down, one goes in, and it opens again for twice as long.
    clock.maxFrames = 30_000;
    clock.flush();
    await expect.poll(() => buried.slice(5)).toEqual(['o5']);
    expect(service.calls).toBe(6);
    service.isAway = false;
    clock.maxFrames = 90_000;
    clock.flush();
    await expect.poll(() => done).toEqual(['o6', 'o7', 'o8', 'o9', 'o10', 'o11']);
    expect(JSON.stringify(await readiness(worker))).toContain(
      'circuit is half-open: cooled down for 60000 ms',
    );
    for (let n = 12; n < 40; n++) await order(bus, `o${n}`);
    await expect.poll(() => done).toHaveLength(34);
    expect(await readiness(worker)).toEqual([200, { ready: true, reasons: [] }]);
    expect(await metrics(worker)).toMatch(/stream_circuit_state\{[^}]*\} 0\n/);

    const told = worker.logged.filter(({ text }) => text.startsWith('circuit '));
    expect(told.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      'warn: circuit open',
      'info: circuit half-open',
      'warn: circuit open',
      'info: circuit half-open',
      'info: circuit closed',
    ]);
    expect(told[0]?.fields).toMatchObject({ pipeline: 'payments', stage: 'circuit' });
    const changes = (): unknown[] =>
      audited
        .map(text => JSON.parse(text) as { action: string; subject: string; details: { to: string } })
        .filter(({ action, subject }) => action === 'circuit-changed' && subject === 'payments/circuit')
        .map(({ details }) => details.to);
    await expect.poll(changes).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
    expect((await worker.runtime.status())[0]?.circuitOpenings).toBe(2);
  });
});

describe('a worker whose broker is away', () => {
  it('is not ready and says why, and stores everything in order once it is back', async () => {
    const bus = stubBus();
    const broker = { isAway: true, asked: 0 };
    const send = bus.send.bind(bus);
    bus.send = (message, done) => {
      if (message.topic === paid.name) broker.asked++;
      if (message.topic !== paid.name || !broker.isAway) send(message, done);
      else done(new BusError('publish-timeout', 'no broker answers'), undefined);
    };
    const backoff = { firstDelayMs: 5, maxDelayMs: 5, jitter: 'none' } as const;
    const worker = await working(
      pipeline('copy', ({ source, publisher, onFailure }) =>
        source(orders).pipe(
          decode(orders),
          mapValues(text => text.toUpperCase()),
          publishTo(paid, publisher, { backoff }),
          onFailure(),
        ),
      ),
      bus,
    );
    const done = await heard(bus, paid.name);
    const all = Array.from({ length: 20 }, (_, n) => `o${n}`);
    await bus.publishBatch(all.map(text => ({ topic: orders.name, key: 'k', payload: Buffer.from(text) })));
    await expect.poll(() => broker.asked).toBeGreaterThan(3); // it goes on asking
    const waits = 'pipeline copy: publishTo waits, and the pipeline with it: no broker answers';
    expect(await readiness(worker)).toEqual([503, { ready: false, reasons: [waits] }]);
    expect(await worker.runtime.status()).toMatchObject([{ inFlight: 20, deadLettered: 0 }]);
    expect(done).toEqual([]);

    broker.isAway = false;
    await expect.poll(() => done).toEqual(all.map(text => text.toUpperCase()));
    await expect.poll(() => readiness(worker)).toEqual([200, { ready: true, reasons: [] }]);
    expect(worker.logged.filter(({ text }) => /the bus refuses|goes on/.test(text))).toMatchObject([
      { level: 'warn', fields: { pipeline: 'copy', stage: 'publishTo', reason: 'no broker answers' } },
      { level: 'info', fields: { pipeline: 'copy', stage: 'publishTo' } },
    ]);
  });
});
