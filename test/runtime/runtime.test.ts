import { concatMap, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type BatchLimits, batch, each } from '../../operators/index.ts';
import { retries } from '../../pipelines/retry.ts';
import {
  BusError,
  type Delivery,
  FaultInjector,
  MessageHeaders,
  type Pipeline,
  type PipelineEvent,
  createEventBus,
  pipeline,
  run,
} from '../../src/index.ts';
import { readDeadLetter } from '../../src/core/dead-letter.ts';
import { historyOf, withHistory } from '../../src/core/message-history.ts';
import { stage } from '../../src/core/stage.ts';
import { PipelineDriver, messageOf } from '../../src/testing/index.ts';
import { committed, deadLetters, shouted, shouting, slowly, topics, words } from './words.ts';

describe('a runtime', () => {
  it('acks what reaches the end of a chain, and commits it', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    for (const word of ['a', 'b', 'c']) driver.give(words, word, { key: word, timestamp: 5 });
    driver.runFor(1);
    expect(driver.values(shouted).sort()).toEqual(['A', 'B', 'C']);
    expect((await committed(driver, 'shout')).reduce((a, b) => a + b)).toBe(3);
    expect(await driver.status('shout')).toMatchObject({ inFlight: 0, lag: 0, stuckAt: undefined });
  });

  it('does not commit what its chain holds on to, and says what it is stuck at', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          {},
          slowly(() => driver, 100),
        ),
      ],
    });
    driver.give(words, 'a', { key: 'k', partition: 0 });
    driver.give(words, 'b', { key: 'k', partition: 0 });
    driver.runFor(99);
    expect(await committed(driver, 'shout')).toEqual([0, 0]);
    expect(await driver.status('shout')).toMatchObject({ inFlight: 2, lag: 2, stuckAt: 'words[0]@0 key k' });
    driver.runFor(2);
    expect(await committed(driver, 'shout')).toEqual([1, 0]);
    expect((await driver.status('shout')).stuckAt).toBe('words[0]@1 key k');
  });

  it('runs a chain with the group and the credit that its options say', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          { group: 'g', maxInFlight: 2 },
          slowly(() => driver, 10),
        ),
      ],
    });
    for (let n = 0; n < 9; n++) driver.give(words, 'a', { key: String(n) });
    expect((await driver.status('shout')).inFlight).toBe(2);
    driver.runFor(200);
    expect((await committed(driver, 'g')).reduce((a, b) => a + b)).toBe(9);
  });
});

describe('a message that was sent round again', () => {
  const again = (addressee: string): MessageHeaders =>
    withHistory(MessageHeaders.empty, {
      ...historyOf(messageOf({ topic: 'words', partition: 0, offset: 3 })),
      attempts: 4,
      firstFailureAt: 1,
      deadLetters: 1,
      addressee,
    });

  it('is seen by the pipeline that is meant, and acked by the others', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    driver.give(words, 'a', { key: 'k', headers: again('other') });
    driver.give(words, 'b', { key: 'k', headers: again('shout') });
    driver.runFor(1);
    expect(driver.values(shouted)).toEqual(['B']);
    expect((await committed(driver, 'shout')).reduce((a, b) => a + b)).toBe(2);
  });

  it('is handled once where a redrive sends it twice, also after a restart', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    const redriven = (redrive: string): MessageHeaders =>
      withHistory(MessageHeaders.empty, {
        ...historyOf(messageOf({ topic: 'words', partition: 0, offset: 3 })),
        deadLetters: 1,
        addressee: 'shout',
        redrive,
      });
    const send = (redrive: string): void => {
      driver.give(words, 'a', { key: 'k', headers: redriven(redrive) });
      driver.runFor(30_000);
    };
    send('first');
    send('first');
    await driver.restart();
    send('first');
    send('second');
    expect(driver.values(shouted)).toEqual(['A', 'A']);
    expect((await committed(driver, 'shout')).reduce((a, b) => a + b)).toBe(4);
    expect(driver.runtime.meter.sum('stream_duplicates_total')).toBe(1);
  });

  it('forgets the oldest of what was redriven past what it is told to remember, and counts that', async () => {
    const driver = await PipelineDriver.start({
      topics,
      pipelines: () => [shouting({ redrivenRemembered: 2 })],
    });
    for (const redrive of ['first', 'second', 'first', 'third', 'first']) {
      const history = { ...historyOf(messageOf({ topic: 'words', partition: 0, offset: 3 })), redrive };
      driver.give(words, redrive, { key: 'k', headers: withHistory(MessageHeaders.empty, history) });
    }
    driver.runFor(1);
    expect(driver.values(shouted)).toEqual(['FIRST', 'SECOND', 'THIRD', 'FIRST']);
    expect(driver.runtime.meter.sum('stream_duplicates_total')).toBe(1);
    expect(driver.runtime.meter.sum('stream_dedupe_forgotten_total')).toBe(2);
  });

  it('leaves a pipeline that was never sent a dead letter without state', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    driver.give(words, 'a', { key: 'k' });
    driver.runFor(60_000);
    expect(await driver.status('shout')).toMatchObject({ snapshots: 0, lag: 0 });
  });

  it('goes on counting where it fails again, and passes no history on to its outputs', async () => {
    const driver = await PipelineDriver.start({
      topics,
      pipelines: () => [shouting()],
      runtime: { worker: 'w1' },
    });
    driver.give(words, 'bad', { key: 'k', headers: again('shout') });
    driver.give(words, 'good', { key: 'k', headers: again('shout') });
    driver.runFor(1);
    const [letter] = driver.messages(deadLetters).map(readDeadLetter);
    expect(letter).toMatchObject({
      origin: { topic: 'words', partition: 0, offset: 3 },
      pipeline: 'shout',
      worker: 'w1',
      attempts: 5,
      firstFailureAt: 1,
      count: 2,
    });
    expect(driver.messages(shouted)[0]?.headers.has('x-attempts')).toBe(false);
  });
});

describe('a bus that is away', () => {
  it('makes the pipeline wait and say so, until everything is stored in its order', async () => {
    const faults = new FaultInjector();
    const driver = await PipelineDriver.start({ topics, faults, pipelines: () => [shouting()] });
    driver.give(words, 'a', { key: 'k' });
    driver.runtime.stop();
    for (const word of ['bad', 'b', 'c']) driver.give(words, word, { key: 'k' });
    faults.failNextPublish('storage', 3);
    await driver.restart();
    expect((await driver.status('shout')).problem).toMatch(/waits.*injected fault/);
    expect(await driver.status('shout')).toMatchObject({ inFlight: 3, phase: 'running' });
    driver.runFor(10_000);
    expect(driver.values(shouted)).toEqual(['A', 'B', 'C']);
    expect(driver.messages(deadLetters)).toHaveLength(1);
    expect((await driver.status('shout')).problem).toBeUndefined();
    const told = driver.events.flatMap(event => ('stage' in event ? [`${event.stage} ${event.kind}`] : []));
    expect(told.sort()).toEqual([
      'deadLetter going-on',
      'deadLetter waiting',
      'publishTo going-on',
      'publishTo waiting',
    ]);
  });
});

describe('a batch that could never fill', () => {
  const gathering = (limits: BatchLimits): Pipeline =>
    pipeline('gather', ({ source, onFailure }) => source(words).pipe(batch(limits), onFailure()), {
      maxInFlight: 10,
    });

  it('is refused before anything runs', async () => {
    const started = PipelineDriver.start({ topics, pipelines: () => [gathering({ count: 11 })] });
    await expect(started).rejects.toThrow(
      'pipeline gather: count of batch is 11, must be at most maxInFlight, 10, or have timeMs too',
    );
  });

  it.each([{ count: 10 }, { count: 11, timeMs: 5 }])('is not one of %j', async limits => {
    await PipelineDriver.start({ topics, pipelines: () => [gathering(limits)] });
  });
});

describe('a chain that cannot be built', () => {
  it('is refused before anything runs, with what its operator says', async () => {
    const bus = createEventBus({ kind: 'stub' });
    await bus.start();
    const counting = pipeline('counting', ({ source, onFailure }) =>
      source(words).pipe(batch({ count: 0 }), onFailure()),
    );
    const events: PipelineEvent[] = [];
    const running = run([shouting(), counting], bus, { report: event => events.push(event) });
    await expect(running).rejects.toThrow(
      'pipeline counting cannot be built: batch.count is 0, must be a whole number from 1',
    );
    await expect(running).rejects.toMatchObject({ name: 'PipelineBuildError', pipeline: 'counting' });
    expect(events).toEqual([]);
    expect(await bus.listTopics()).toEqual([]);
    await bus.stop();
  });

  it('is tried again where it is the bus that refuses', async () => {
    let asked = 0;
    const waiting = pipeline('waiting', ({ source, onFailure }) => {
      if (++asked < 3) throw new BusError('topic-not-found', 'no topic words yet');
      return source(words).pipe(onFailure());
    });
    const driver = await PipelineDriver.start({ topics, pipelines: () => [waiting] });
    expect((await driver.status('waiting')).phase).toBe('restarting');
    driver.runFor(1_000);
    expect((await driver.status('waiting')).phase).toBe('running');
  });
});

describe('a failure policy', () => {
  it.each([undefined, 'dead-letter'] as const)('%s: stores what failed as it came', async onFailure => {
    const options = onFailure === undefined ? {} : { onFailure };
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting(options)] });
    driver.give(words, 'a');
    driver.give(words, 'bad', {
      key: 'k',
      timestamp: 7,
      headers: { trace: '1', raw: Buffer.from([0, 255]) },
    });
    driver.give(words, 'b');
    const [letter] = driver.messages(deadLetters);
    expect(Buffer.from(letter?.payload ?? []).toString()).toBe('bad');
    expect(letter).toMatchObject({ key: 'k', timestamp: 7 });
    const header = (name: string): string | undefined => letter?.headers.get(name);
    expect(letter?.headers.getBytes('raw')).toEqual(Buffer.from([0, 255]));
    expect(header('trace')).toBe('1');
    expect(header('x-dlq-original-topic')).toBe('words');
    expect(header('x-dlq-pipeline')).toBe('shout');
    expect(header('x-dlq-stage')).toBe('mapValues');
    expect(header('x-dlq-failure')).toBe('handle');
    expect(header('x-dlq-reason')).toBe('not in this house');
    expect(driver.values(shouted)).toEqual(['A', 'B']);
    expect(await driver.status('shout')).toMatchObject({ deadLettered: 1, lag: 0, restarts: 0 });
  });

  it('skip: counts what failed and goes on', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting({ onFailure: 'skip' })] });
    for (const word of ['a', 'bad', 'b']) driver.give(words, word);
    expect(driver.values(shouted)).toEqual(['A', 'B']);
    expect(driver.messages(deadLetters)).toEqual([]);
    expect(driver.runtime.meter.sum('stream_skipped_total', { pipeline: 'shout', tag: 'handle' })).toBe(1);
    expect((await driver.status('shout')).lag).toBe(0);
  });

  it('stop: ends the pipeline at the message, and tries again with backoff', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting({ onFailure: 'stop' })] });
    for (const word of ['a', 'bad', 'b']) driver.give(words, word, { partition: 0 });
    expect(driver.values(shouted)).toEqual(['A']);
    const failedEvents = (): unknown[] => driver.events.filter(({ kind }) => kind === 'failed');
    expect(failedEvents()).toEqual([
      {
        kind: 'failed',
        pipeline: 'shout',
        reason: 'mapValues failed at words[0]@1 (handle): not in this house',
        retryInMs: 1_000,
      },
    ]);
    expect(await driver.status('shout')).toMatchObject({
      phase: 'restarting',
      problem: 'mapValues failed at words[0]@1 (handle): not in this house',
    });
    driver.runFor(999);
    expect(failedEvents()).toHaveLength(1);
    driver.runFor(1);
    expect(failedEvents()).toMatchObject([{}, { retryInMs: 2_000 }]);
    driver.runFor(2_000 + 4_000 + 8_000 + 16_000 + 30_000);
    expect(failedEvents().slice(4)).toMatchObject([
      { retryInMs: 16_000 },
      { retryInMs: 30_000 },
      { retryInMs: 30_000 },
    ]);
    expect(await committed(driver, 'shout')).toEqual([1, 0]);
  });
});

describe('a pipeline that breaks', () => {
  it('begins again behind what it had committed, and nothing is lost', async () => {
    let broken = 0;
    const breaking = stage<Delivery<string>, Delivery<string>>('breaking', subscriber => ({
      next: delivery => {
        if (delivery.ok && delivery.value === 'break' && broken++ < 2)
          subscriber.error(new Error('broker gone'));
        else subscriber.next(delivery);
      },
    }));
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting({}, breaking)] });
    for (const word of ['a', 'b', 'break', 'c']) driver.give(words, word, { partition: 0 });
    expect(driver.values(shouted)).toEqual(['a', 'b']);
    driver.runFor(3_500);
    expect(driver.values(shouted)).toEqual(['a', 'b', 'break', 'c']);
    expect(await driver.status('shout')).toMatchObject({
      phase: 'running',
      restarts: 2,
      problem: undefined,
      lag: 0,
    });
    expect(driver.events.map(({ kind }) => kind)).toEqual([
      'started',
      'failed',
      'started',
      'failed',
      'started',
    ]);
  });

  it('is back within 5 s of brokers that were away, however long that was', async () => {
    const breaking = stage<Delivery<string>, Delivery<string>>('breaking', subscriber => ({
      next: () => subscriber.error(new BusError('unavailable', 'no broker answers')),
    }));
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting({}, breaking)] });
    driver.give(words, 'a');
    driver.runFor(16_000);
    expect(driver.events.flatMap(event => (event.kind === 'failed' ? [event.retryInMs] : []))).toEqual([
      1_000, 2_000, 4_000, 5_000, 5_000,
    ]);
  });

  it('waits a second again after it has run well for long', async () => {
    let broken = 0;
    const breaking = stage<Delivery<string>, Delivery<string>>('breaking', subscriber => ({
      next: delivery => {
        if (delivery.ok && delivery.value === `break ${broken}`) {
          broken++;
          subscriber.error(new Error('broker gone'));
        } else subscriber.next(delivery);
      },
    }));
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting({}, breaking)] });
    driver.give(words, 'break 0');
    driver.runFor(1_500);
    driver.give(words, 'break 1');
    driver.runFor(100_000);
    driver.give(words, 'break 2');
    expect(driver.events.flatMap(event => (event.kind === 'failed' ? [event.retryInMs] : []))).toEqual([
      1_000, 2_000, 1_000,
    ]);
  });

  it('breaks where it is built anew, too, and is stopped for good by stop()', async () => {
    let isChecked = false;
    const unbuilt = pipeline('unbuilt', ({ source, onFailure }) => {
      if (isChecked) throw new Error('no such topic');
      isChecked = true;
      return source(words).pipe(onFailure());
    });
    const driver = await PipelineDriver.start({ topics, pipelines: () => [unbuilt] });
    expect(driver.events).toEqual([
      { kind: 'failed', pipeline: 'unbuilt', reason: 'no such topic', retryInMs: 1_000 },
    ]);
    driver.stop();
    driver.runFor(10_000);
    expect(driver.events).toHaveLength(2);
    expect((await driver.status('unbuilt')).phase).toBe('stopped');
  });

  it('ends with its bus', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    await driver.bus.stop();
    expect(driver.events.at(-1)).toEqual({ kind: 'stopped', pipeline: 'shout' });
  });

  it('ends with its bus while it waits to begin anew, too', async () => {
    const breaking = shouting(
      {},
      concatMap(() => throwError(() => new Error('broken'))),
    );
    const driver = await PipelineDriver.start({ topics, pipelines: () => [breaking] });
    driver.give(words, 'a');
    await driver.bus.stop();
    driver.runFor(1_000);
    expect(driver.events.map(({ kind }) => kind)).toEqual(['started', 'failed', 'started', 'stopped']);
    driver.runFor(100_000);
    expect(driver.events).toHaveLength(4);
  });
});

describe('a guarantee', () => {
  it('at-most-once: commits before it handles, and loses what it was handling', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          { guarantee: 'at-most-once' },
          slowly(() => driver, 100),
        ),
      ],
    });
    driver.give(words, 'a', { partition: 0 });
    expect(await committed(driver, 'shout')).toEqual([1, 0]);
    await driver.restart();
    driver.runFor(1_000);
    expect(driver.values(shouted)).toEqual([]);
    driver.give(words, 'bad', { partition: 0 });
    driver.give(words, 'b', { partition: 0 });
    driver.runFor(1_000);
    expect(driver.values(shouted)).toEqual(['B']);
    expect(driver.messages(deadLetters)).toHaveLength(1);
  });

  it('at-least-once: what was being handled comes again', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          {},
          slowly(() => driver, 100),
        ),
      ],
    });
    driver.give(words, 'a', { partition: 0 });
    driver.runFor(50);
    await driver.restart();
    driver.runFor(1_000);
    expect(driver.values(shouted)).toEqual(['A']);
  });

  it('exactly-once is refused where there are no transactions, before anything runs', async () => {
    const pipelines = () => [shouting(), pipeline('exact', shouting().build, { guarantee: 'exactly-once' })];
    const refused = await PipelineDriver.start({ topics, pipelines }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BusError);
    expect(refused).toMatchObject({
      code: 'unsupported-capability',
      message:
        'pipeline exact (exactly-once) needs transactions, which the stub backend lacks: choose another backend or driver, or change pipeline exact (exactly-once)',
    });
  });

  it('a failure that comes to the end of a chain is not lost, and the pipeline says what is missing', async () => {
    const unchecked = pipeline('unchecked', ({ source }) =>
      // As a program does whose types nobody checks.
      source(words).pipe(
        each(word$ => word$.pipe(concatMap(() => throwError(() => new Error('no'))))) as never,
      ),
    );
    const driver = await PipelineDriver.start({ topics, pipelines: () => [unchecked] });
    driver.give(words, 'a', { key: 'a' });
    driver.runFor(1_000);
    const { problem = '' } = await driver.status('unchecked');
    expect(problem).toMatch(/a failure of each came to the end .* \(no\): end the chain with onFailure\(\)/);
    expect((await committed(driver, 'unchecked')).every(offset => offset === 0)).toBe(true);
  });

  it('a guarantee that a pipeline cannot keep is refused, before anything runs', async () => {
    const stated = { ...retries(), options: { ...retries().options, guarantee: 'exactly-once' } } as const;
    const refused = PipelineDriver.start({ topics, pipelines: () => [shouting(), stated] });
    await expect(refused).rejects.toThrow(
      'pipeline retries: guarantee is exactly-once, must be another: what it has sent back would be committed',
    );
  });

  it('what a pipeline needs is checked before any of them runs', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [] });
    const started: string[] = [];
    const first = pipeline('first', context => {
      started.push(context.name);
      return shouting().build(context);
    });
    const { Runtime } = await import('../../src/index.ts');
    const needy = pipeline('needy', shouting().build, { needs: ['seek', 'durable'] });
    await expect(new Runtime([first, needy], driver.bus).start()).rejects.toThrow(
      'pipeline needy needs durable, which the stub backend lacks',
    );
    expect(started).toEqual([]);
  });
});

describe('drain', () => {
  it('takes nothing new, waits for what is in flight, and commits it', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          {},
          slowly(() => driver, 300),
        ),
      ],
    });
    driver.give(words, 'a', { partition: 0 });
    const drained = driver.drain(5_000);
    driver.give(words, 'b', { partition: 0 });
    expect(await drained).toBeLessThanOrEqual(330);
    expect(driver.values(shouted)).toEqual(['A']);
    expect(await committed(driver, 'shout')).toEqual([1, 0]);
    await driver.restart();
    driver.runFor(500);
    expect(driver.values(shouted)).toEqual(['A', 'B']);
  });

  it('gives up at its deadline', async () => {
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [
        shouting(
          {},
          slowly(() => driver, 60_000),
        ),
      ],
    });
    driver.give(words, 'a');
    const took = await driver.drain(500);
    expect(took).toBeGreaterThanOrEqual(500);
    expect(took).toBeLessThanOrEqual(530);
    expect((await driver.status('shout')).phase).toBe('stopped');
  });

  it('does not wait for a pipeline that is broken', async () => {
    const infinite = each<string, string>(word$ =>
      word$.pipe(concatMap(() => throwError(() => new Error('no')))),
    );
    const driver = await PipelineDriver.start({
      topics,
      pipelines: () => [shouting({ onFailure: 'stop' }, infinite)],
    });
    driver.give(words, 'a');
    expect((await driver.status('shout')).phase).toBe('restarting');
    expect(await driver.drain(5_000)).toBeLessThan(50);
    driver.runFor(60_000);
    expect(driver.events.filter(({ kind }) => kind === 'started')).toHaveLength(1);
  });
});

describe('what a runtime tells', () => {
  it('is counted under known names', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    for (const word of ['aa', 'bad', 'b']) driver.give(words, word);
    driver.mark(words, 5);
    const sum = (name: string): number => driver.runtime.meter.sum(name, { pipeline: 'shout' });
    expect(sum('stream_consume_total')).toBe(3);
    expect(sum('stream_publish_total')).toBe(3);
    expect(sum('stream_publish_bytes')).toBe('AA'.length + 'B'.length + 'bad'.length);
    expect(sum('stream_dlq_total')).toBe(1);
    expect(sum('stream_in_flight')).toBe(0);
    expect(await driver.status('shout')).toMatchObject({
      name: 'shout',
      phase: 'running',
      consumed: 3,
      published: 3,
      deadLettered: 1,
      retried: 0,
      restarts: 0,
      watermark: 5,
      problem: undefined,
    });
  });

  it('names what was thrown away unsettled', async () => {
    const losing = stage<Delivery<string>, Delivery<string>>('losing', () => ({ next: () => undefined }));
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting({}, losing)] });
    driver.give(words, 'a', { key: 'k', partition: 1 });
    expect((await driver.status('shout')).stuckAt).toBe('words[1]@0 key k');
  });

  it('tells which topics a chain reads and writes', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [shouting()] });
    const [running] = driver.runtime.pipelines;
    expect([...(running?.topics.inputs ?? [])]).toEqual(['words']);
    expect([...(running?.topics.outputs ?? [])]).toEqual(['shouted']);
    expect(running?.pipeline.name).toBe('shout');
  });
});

describe('PipelineDriver', () => {
  it('fails what takes more than an hour of virtual time', async () => {
    const driver = await PipelineDriver.start({ topics, pipelines: () => [] });
    const never = driver.pause(4_000_000);
    await expect(driver.during(never)).rejects.toThrow('has not settled within an hour');
  }, 60_000);
});
