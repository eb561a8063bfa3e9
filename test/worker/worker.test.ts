import * as t from 'io-ts';
import { NEVER, mergeMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { decode, each, mapValues, publishTo, scanByKey } from '../../operators/index.ts';
import { FaultInjector } from '../../src/bus/embedded/faults.ts';
import { stubBus } from '../../src/bus/embedded/stub.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { textCodec } from '../../src/core/codec.ts';
import { BusError } from '../../src/core/publisher.ts';
import { jsonState } from '../../src/core/state.ts';
import { type Topic, topic } from '../../src/core/topic.ts';
import { type Pipeline, pipeline } from '../../src/runtime/pipeline.ts';
import { startHttpServer } from '../../src/worker/http-server.ts';
import type { Logger } from '../../src/worker/logger.ts';
import type { RunningWorker, WorkerOptions } from '../../src/worker/worker-options.ts';
import { runWorker } from '../../src/worker/worker.ts';

const words = topic('words', textCodec);
const shouted = topic('shouted', textCodec);
const echoed = topic('echoed', textCodec);

const copy = (name: string, from: Topic<string>, to: Topic<string>): Pipeline =>
  pipeline(name, ({ source, publisher, onFailure }) =>
    source(from).pipe(
      decode(from),
      mapValues(word => word.toUpperCase()),
      publishTo(to, publisher),
      onFailure(),
    ),
  );

/** Takes messages and never finishes any. */
const hanging = pipeline('hanging', ({ source, onFailure }) =>
  source(words).pipe(
    decode(words),
    each(word$ => word$.pipe(mergeMap(() => NEVER))),
    onFailure(),
  ),
);

interface Logged {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly text: string;
}

/** A worker under test, with what it logs and the means to stop it. */
function worker(options: Partial<WorkerOptions> = {}) {
  const logged: Logged[] = [];
  const log = (level: string) => (fields: object, text: string) =>
    void logged.push({ level, fields: { ...fields }, text });
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const stop = new AbortController();
  const bus = options.bus ?? stubBus();
  let tell: (running: RunningWorker) => void;
  const started = new Promise<RunningWorker>(resolve => (tell = resolve));
  const code = runWorker({
    name: 'w1',
    pipelines: [copy('shout', words, shouted)],
    topics: [words, shouted, echoed],
    bus,
    logger,
    signal: stop.signal,
    started: running => tell(running),
    ...options,
  });
  return { bus, code, logged, started, stop: () => stop.abort(), texts: () => logged.map(l => l.text) };
}

const say = (bus: EventBus, text: string): Promise<unknown> =>
  bus.publish({ topic: 'words', key: text, payload: Buffer.from(text) });

/** The next message of a topic, as text. */
const next = (bus: EventBus, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const handler = (message: { payload: Uint8Array | null }): void =>
      resolve(Buffer.from(message.payload ?? []).toString());
    bus.subscribe(name, handler, { group: 'test' }).catch(reject);
  });

describe('runWorker', () => {
  it('runs pipelines, serves health and metrics, and ends with 0 when told to stop', async () => {
    const { started, stop, code, texts } = worker();
    const { http, bus } = await started;
    const ready = await fetch(`${http.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
    await say(bus, 'hello');
    expect(await next(bus, 'shouted')).toBe('HELLO');
    const metrics = await (await fetch(`${http.url}/metrics`)).text();
    expect(metrics).toContain('stream_consume_total{pipeline="shout"} 1');
    stop();
    expect(await code).toBe(0);
    expect(texts().slice(-2)).toEqual(['pipeline stopped', 'stopped']);
    await expect(fetch(http.url)).rejects.toThrow();
    await expect(say(bus, 'late')).rejects.toMatchObject({ code: 'bus-not-started' });
  });

  it('tells of topics that are other than configured, and works with them', async () => {
    const bus = stubBus();
    await bus.start();
    const { settings } = words;
    await bus.createTopic({ name: 'words', settings: { ...settings, partitions: settings.partitions + 2 } });
    const { started, stop, code, logged } = worker({ bus });
    await started;
    await say(bus, 'hello');
    expect(await next(bus, 'shouted')).toBe('HELLO');
    await expect
      .poll(() => logged.filter(({ text }) => text.includes('not as configured')))
      .toEqual([
        {
          level: 'warn',
          fields: {
            topic: 'words',
            drift: [`partitions is ${settings.partitions + 2}, configured ${settings.partitions}`],
          },
          text: 'topic is not as configured: see "cryptorun topics plan"',
        },
      ]);
    stop();
    expect(await code).toBe(0);
  });

  it('is not ready while it drains, ends feeds first, then pipelines in the order of the data', async () => {
    const order: string[] = [];
    let readyWhileStopping: Promise<Response> | undefined;
    let url = '';
    const feed = (signal: AbortSignal): Promise<void> =>
      new Promise(resolve => {
        signal.addEventListener('abort', () => {
          order.push('feed');
          readyWhileStopping = fetch(`${url}/health/ready`);
          readyWhileStopping.then(() => resolve(), resolve);
        });
      });
    const { started, stop, code, logged } = worker({
      pipelines: [copy('second', shouted, echoed), copy('first', words, shouted)],
      feeds: [{ name: 'f', run: feed }],
      release: [() => order.push('released')],
    });
    ({ url } = (await started).http);
    stop();
    expect(await code).toBe(0);
    const response = await readyWhileStopping!;
    expect([response.status, await response.json()]).toEqual([
      503,
      { ready: false, reasons: ['the worker is draining'] },
    ]);
    const stopped = logged.filter(({ text }) => text === 'pipeline stopped').map(l => l.fields['pipeline']);
    expect(stopped).toEqual(['first', 'second']);
    expect(order).toEqual(['feed', 'released']);
  });

  it('ends with 3 where the deadline passes, naming what has not finished', async () => {
    const { started, stop, code, logged } = worker({ pipelines: [hanging], drainDeadlineMs: 30 });
    const { bus, runtime } = await started;
    await say(bus, 'hello');
    await expect.poll(async () => (await runtime.status())[0]?.inFlight).toBe(1);
    stop();
    expect(await code).toBe(3);
    expect(logged.find(({ level }) => level === 'warn')).toEqual({
      level: 'warn',
      fields: {
        pipeline: 'hanging',
        end: 'deadline',
        left: 1,
        oldest: { topic: 'words', partition: 0, offset: 0, key: 'hello' },
        problem: undefined,
      },
      text: 'hanging: not finished by the deadline, 1 message, the oldest words[0]@0 key hello, left for the next start',
    });
  });

  it('ends with 3 where a pipeline is broken, or its state cannot be stored, saying why', async () => {
    const faults = new FaultInjector();
    const counting = pipeline('count', ({ source, onFailure, state }) =>
      source(words).pipe(
        decode(words),
        scanByKey<string, number, string>(() => [], {
          seed: () => 0,
          codec: jsonState('1', t.number),
          state,
        }),
        onFailure(),
      ),
    );
    const broken = pipeline(
      'broken',
      ({ source, onFailure }) =>
        source(words).pipe(
          decode(words),
          mapValues(() => {
            throw new Error('wiring');
          }),
          onFailure(),
        ),
      { onFailure: 'stop' },
    );
    const options = { pipelines: [counting, broken], bus: stubBus({ faults }), drainDeadlineMs: 300 };
    const { started, stop, code, logged } = worker(options);
    const { bus, runtime } = await started;
    await say(bus, 'hello');
    await expect
      .poll(async () => (await runtime.status()).map(({ problem }) => problem !== undefined))
      .toContain(true);
    faults.failNextPublish('unavailable', 10_000);
    stop();
    expect(await code).toBe(3);
    const told = logged.filter(({ fields }) => fields['end'] !== undefined).map(({ text }) => text);
    expect(told).toContainEqual(
      expect.stringContaining('its last snapshot was not stored in time: injected fault'),
    );
    expect(told).toContainEqual(expect.stringMatching(/^broken: did not run to the end, .*: .*wiring/));
  });

  it('ends with 2 where its port is in use, having released everything', async () => {
    const taken = await startHttpServer({
      ready: () => Promise.reject(new Error()),
      metrics: { contentType: '', text: () => Promise.resolve('') },
    });
    const { code, logged } = worker({ http: { port: taken.port } });
    expect(await code).toBe(2);
    expect(logged[0]).toMatchObject({ level: 'error', text: 'worker failed' });
    expect(logged[0]?.fields['reason']).toContain(`port ${taken.port}: the port is in use`);
    await taken.stop();
  });

  it('ends with 2 where the bus lacks what a pipeline needs', async () => {
    const greedy: Pipeline = { ...hanging, options: { guarantee: 'exactly-once' } };
    const bus = stubBus();
    const { code, logged } = worker({ bus, pipelines: [greedy] });
    expect(await code).toBe(2);
    expect(String(logged.find(l => l.level === 'error')?.fields['reason'])).toContain('transactions');
    await expect(bus.publish({ topic: 'words', key: null, payload: null })).rejects.toThrow(BusError);
  });

  it('ends with 1 where the bus cannot start, and frees the port', async () => {
    const bus = stubBus();
    bus.start = () => Promise.reject(new BusError('storage', 'the folder is locked'));
    const { code, logged } = worker({ bus });
    expect(await code).toBe(1);
    expect(logged.find(l => l.level === 'error')?.fields['reason']).toBe('the folder is locked');
    const url = String(logged.find(l => 'url' in l.fields)?.fields['url']);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('ends in order where it is told to stop before it has started', async () => {
    expect(await worker({ signal: AbortSignal.abort() }).code).toBe(0);
  });

  it('ends with 1 where something cannot be released, having released the rest', async () => {
    const bus = stubBus();
    const { started, stop, code, logged } = worker({
      bus,
      release: [() => Promise.reject(new Error('disk full'))],
    });
    await started;
    stop();
    expect(await code).toBe(1);
    expect(logged.find(l => l.text === 'not released')?.fields['reason']).toBe('disk full');
    await expect(say(bus, 'late')).rejects.toMatchObject({ code: 'bus-not-started' });
  });

  it('takes control routes from who runs it', async () => {
    const { started, stop, code } = worker();
    const { http } = await started;
    http.control('echo', body => ({ heard: body }));
    const headers = { authorization: `Bearer ${http.token}` };
    const answer = await fetch(`${http.url}/control/echo`, { method: 'POST', headers });
    expect(await answer.json()).toEqual({});
    stop();
    expect(await code).toBe(0);
  });

  it('writes its numbers, its health and its start to the topics for that', async () => {
    const { started, stop, code } = worker({ reportIntervalMs: 20 });
    const { bus } = await started;
    const audited: string[] = [];
    const audit = (message: { payload: Uint8Array | null }): void => {
      audited.push(/"action":"([a-z-]+)"/.exec(String(message.payload))?.[1] ?? '');
    };
    await bus.subscribe('cryptorun-audit-log', audit, { group: 'audit' });
    await expect.poll(() => audited).toEqual(expect.arrayContaining(['topic-created', 'worker-started']));
    expect(await next(bus, 'cryptorun-health-checks')).toContain('"ready":true');
    expect(await next(bus, 'cryptorun-metrics')).toContain('"worker":"w1"');
    stop();
    expect(await code).toBe(0);
  });
});
