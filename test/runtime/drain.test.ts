import { Subject, merge } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { decode, delayUntil, mapValues, publishTo } from '../../operators/index.ts';
import { FaultInjector, type Pipeline, drainedText, pipeline, textCodec, topic } from '../../src/index.ts';
import type { Drained } from '../../src/runtime/drained.ts';
import { PipelineDriver, type PipelineDriverOptions } from '../../src/testing/index.ts';
import { committed, counting, shouted, shouting, slowly, topics, words } from './words.ts';

const echoed = topic('echoed', textCodec);

/** Drains with a deadline, and lets time go by for it. */
async function drain(driver: PipelineDriver, deadlineMs: number): Promise<readonly Drained[]> {
  const drained = driver.runtime.drain(deadlineMs);
  await driver.during(drained);
  return drained;
}

/** A driver of a pipeline that takes so many ms for each word. */
async function slow(ms: number, rest: Partial<PipelineDriverOptions> = {}): Promise<PipelineDriver> {
  const driver: PipelineDriver = await PipelineDriver.start({
    topics,
    pipelines: () => [
      shouting(
        {},
        slowly(() => driver, ms),
      ),
    ],
    ...rest,
  });
  return driver;
}

const finished = (name: string): Drained => ({
  pipeline: name,
  reason: 'finished',
  left: 0,
  oldest: undefined,
  problem: undefined,
});

describe('drain', () => {
  it('answers that all was finished', async () => {
    const driver = await slow(300);
    driver.give(words, 'a');
    expect(await drain(driver, 5_000)).toEqual([finished('shout')]);
  });

  it('answers how many are left at the deadline, and the oldest of them by event time', async () => {
    const driver = await slow(1_000);
    driver.give(words, 'a', { key: 'k', partition: 0, timestamp: 5 });
    driver.runFor(600);
    driver.give(words, 'b', { key: 'l', partition: 0, timestamp: 9 });
    driver.give(words, 'c', { key: 'm', partition: 1, timestamp: 7 });
    const drained = await drain(driver, 500);
    expect(drained).toEqual([
      {
        pipeline: 'shout',
        reason: 'deadline',
        left: 2,
        oldest: { topic: 'words', partition: 1, offset: 0, key: 'm' },
        problem: undefined,
      },
    ]);
    expect(drained.map(drainedText)).toEqual([
      'shout: not finished by the deadline, 2 messages, the oldest words[1]@0 key m, left for the next start',
    ]);
  });

  it('names the key of what holds a partition, not of what was before it', async () => {
    const driver = await slow(1_000);
    driver.give(words, 'a', { key: 'k', partition: 0 });
    driver.runFor(600);
    driver.give(words, 'b', { key: 'l', partition: 0 });
    driver.runFor(500);
    expect((await driver.status('shout')).stuckAt).toBe('words[0]@1 key l');
    const [left] = await drain(driver, 100);
    expect(left?.oldest).toEqual({ topic: 'words', partition: 0, offset: 1, key: 'l' });
  });

  it('answers that what is left waits for its time, and where', async () => {
    const delaying = pipeline('later', ({ source, publisher, onFailure, scheduler, meter }) =>
      source(words).pipe(
        decode(words),
        delayUntil((_, { timestamp }) => timestamp + 60_000, { name: 'wait', scheduler, meter }),
        publishTo(shouted, publisher),
        onFailure(),
      ),
    );
    const driver = await PipelineDriver.start({ topics, pipelines: () => [delaying] });
    driver.give(words, 'a', { key: 'k', partition: 0 });
    const drained = await drain(driver, 30_000);
    expect(drained).toMatchObject([
      { reason: 'later', left: 1, oldest: { partition: 0, offset: 0, key: 'k', stage: 'wait' } },
    ]);
    expect(drained.map(drainedText)).toEqual([
      'later: finished but for what waits for later, 1 message, the oldest words[0]@0 key k in wait, left for the next start',
    ]);
    await driver.restart();
    driver.give(words, 'b', { key: 'l', partition: 1 });
    driver.runFor(1);
    // Too short a deadline to see that nothing moves: all of it is known to wait.
    expect(await drain(driver, 0)).toMatchObject([{ reason: 'later', left: 2 }]);
  });

  it('leaves nothing that a handler is still at because something else waits for its time', async () => {
    const both = pipeline('both', ({ source, publisher, onFailure, scheduler, meter }) =>
      source(words).pipe(
        decode(words),
        delayUntil((word, { timestamp }) => (word === 'later' ? timestamp + 60_000 : 0), {
          scheduler,
          meter,
        }),
        slowly(() => driver, 2_000),
        publishTo(shouted, publisher),
        onFailure(),
      ),
    );
    const driver: PipelineDriver = await PipelineDriver.start({ topics, pipelines: () => [both] });
    driver.give(words, 'later', { key: 'k', partition: 0, timestamp: 0 });
    driver.give(words, 'now', { key: 'l', partition: 0 });
    driver.give(words, 'also', { key: 'm', partition: 1 });
    expect(await drain(driver, 30_000)).toMatchObject([{ reason: 'later', left: 2, oldest: { key: 'k' } }]);
    expect(driver.values(shouted).toSorted()).toEqual(['ALSO', 'NOW']);
    expect(driver.scheduler.now()).toBeLessThan(5_000);
  });

  it('drains in the order of the data, so that what the first publishes the second still takes', async () => {
    const echo: Pipeline = pipeline('echo', ({ source, publisher, onFailure }) =>
      source(shouted).pipe(
        decode(shouted),
        mapValues(word => word),
        publishTo(echoed, publisher),
        onFailure(),
      ),
    );
    const driver: PipelineDriver = await slow(300, {
      topics: { ...topics, echoed: {} },
      pipelines: () => [
        echo,
        shouting(
          {},
          slowly(() => driver, 300),
        ),
      ],
    });
    driver.give(words, 'a');
    expect(await drain(driver, 5_000)).toEqual([finished('shout'), finished('echo')]);
    expect(driver.values(echoed)).toEqual(['A']);
  });

  it('answers for what the bus refuses the stage that waits', async () => {
    const faults = new FaultInjector();
    const driver = await slow(10, { faults });
    driver.give(words, 'a');
    faults.failNextPublish('unavailable', 1_000);
    driver.runFor(100);
    const [left] = await drain(driver, 500);
    expect(left).toMatchObject({ reason: 'deadline', left: 1, oldest: { stage: 'publishTo' } });
  });

  it('tells of a last snapshot that comes late', async () => {
    const faults = new FaultInjector();
    const runtime = { snapshotIntervalMs: 1e6, snapshotEvery: 1e6 };
    const driver = await PipelineDriver.start({ topics, faults, runtime, pipelines: () => [counting()] });
    driver.give(words, 'a', { key: 'k' });
    driver.runFor(1);
    faults.delayNextPublish(10_000);
    expect(await drain(driver, 500)).toEqual([
      { ...finished('count'), reason: 'deadline', problem: 'its last snapshot was not stored in time' },
    ]);
  });

  it('tries a last snapshot that is refused again, and says at the deadline why it was', async () => {
    const faults = new FaultInjector();
    const runtime = { snapshotIntervalMs: 1e6, snapshotEvery: 1e6 };
    const driver = await PipelineDriver.start({ topics, faults, runtime, pipelines: () => [counting()] });
    const say = (word: string): void => {
      driver.give(words, word, { key: 'k', partition: 0 });
      driver.runFor(1);
    };
    say('a');
    faults.failNextPublish('unavailable', 5);
    expect(await drain(driver, 5_000)).toEqual([finished('count')]);
    expect(await committed(driver, 'count')).toEqual([1, 0]);

    await driver.restart();
    say('a');
    faults.failNextPublish('unavailable', 1_000);
    const [left] = await drain(driver, 5_000);
    expect(left?.reason).toBe('deadline');
    expect(left?.problem).toBe('its last snapshot was not stored in time: injected fault: unavailable');
    expect(await committed(driver, 'count')).toEqual([1, 0]);
  });

  it('tries again a snapshot that was refused before the drain', async () => {
    const faults = new FaultInjector();
    const runtime = { snapshotIntervalMs: 1_000, snapshotEvery: 1e6 };
    const driver = await PipelineDriver.start({ topics, faults, runtime, pipelines: () => [counting()] });
    driver.give(words, 'a', { key: 'k', partition: 0 });
    driver.runFor(1);
    faults.failNextPublish('unavailable', 1);
    driver.runFor(1_000);
    expect((await driver.status('count')).problem).toContain('unavailable');
    expect(await drain(driver, 5_000)).toEqual([finished('count')]);
    expect(await committed(driver, 'count')).toEqual([1, 0]);
  });

  it('answers that a pipeline that waits for its restart does not run, and why', async () => {
    const broken = shouting({ onFailure: 'stop' });
    const driver = await PipelineDriver.start({ topics, pipelines: () => [broken] });
    driver.give(words, 'bad', { key: 'k', partition: 0 });
    const [left] = await drain(driver, 5_000);
    expect(left).toMatchObject({ reason: 'not-running', left: 1, oldest: { offset: 0, key: 'k' } });
    expect(left?.problem).toContain('not in this house');
  });

  it.each([
    ['breaks', (breaking$: Subject<never>) => breaking$.error(new Error('wiring')), 'wiring'],
    ['is stopped', (_: unknown, driver: PipelineDriver) => driver.stop(), undefined],
  ])('answers that a pipeline did not run to the end that %s while it drains', async (_, end, problem) => {
    const breaking$ = new Subject<never>();
    const driver: PipelineDriver = await PipelineDriver.start({
      topics,
      pipelines: () => [shouting({}, source => merge(source.pipe(slowly(() => driver, 1_000)), breaking$))],
    });
    driver.give(words, 'a', { key: 'k', partition: 0 });
    const drained = driver.runtime.drain(5_000);
    driver.scheduler.schedule(() => end(breaking$, driver), 100);
    await driver.during(drained);
    expect(await drained).toEqual([
      {
        pipeline: 'shout',
        reason: 'not-running',
        left: 1,
        oldest: { topic: 'words', partition: 0, offset: 0, key: 'k' },
        problem,
      },
    ]);
  });

  it('asked twice answers the same', async () => {
    const driver = await slow(300);
    driver.give(words, 'a');
    const first = driver.runtime.drain(5_000);
    const second = driver.runtime.drain(0);
    await driver.during(Promise.all([first, second]));
    expect(await first).toEqual([finished('shout')]);
    expect(await second).toEqual(await first);
    expect(driver.values(shouted)).toEqual(['A']);
  });
});
