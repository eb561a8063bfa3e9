import { delay, dematerialize, materialize, merge } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { markerOf } from '../../src/core/marker.ts';
import { type EventBus, Marker, type Pipeline, Runtime, jsonState, pipeline } from '../../src/index.ts';
import { decode, publishTo, scanByKey } from '../../operators/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { withOwn } from '../with-own.ts';
import { counts, expectExactCounts, say } from './coming-and-going.ts';
import { counting, shouted, shouting, topics, words } from './words.ts';

const runtime = { snapshotIntervalMs: 1_000, snapshotEvery: 5 };

const start = (pipelines: () => readonly Pipeline[] = () => [counting()]): Promise<PipelineDriver> =>
  PipelineDriver.start({ topics, pipelines, runtime });

/** One more process, as it were, that runs the same pipelines on the same bus. */
async function join(
  driver: PipelineDriver,
  pipelines: () => readonly Pipeline[] = () => [counting()],
  bus: EventBus = driver.bus,
): Promise<Runtime> {
  const other = new Runtime(pipelines(), bus, { ...runtime, scheduler: driver.scheduler });
  await other.start();
  return other;
}

/** What it reads of changelogs comes a second late. */
function readingSlowly({ bus, scheduler }: PipelineDriver): EventBus {
  const source: EventBus['source'] = (topics, options) => {
    const source$ = bus.source(topics, options);
    return String(topics).endsWith('-changelog')
      ? source$.pipe(materialize(), delay(1_000, scheduler), dematerialize())
      : source$;
  };
  return withOwn(bus, { source });
}

/** Markers of one partition of the output: for which parts of the input they speak, and their time. */
function marks(driver: PipelineDriver): string[] {
  return driver.messages(shouted).flatMap(message => {
    const marker = message.partition === 0 ? markerOf(message) : undefined;
    return marker === undefined
      ? []
      : [`${marker.parts?.covered.join() ?? 'all'} ${marker.kind} ${marker.time}`];
  });
}

/** As if its partitions were shared with other processes. */
function sharedByProcesses(bus: EventBus): EventBus {
  return withOwn(bus, { capabilities: { ...bus.capabilities, multiProcess: true } });
}

describe('members of one pipeline', () => {
  // Kills: state of which one worker has one topic's partition, and another worker the other topic's.
  it('read one topic where other processes may have the partitions of another', async () => {
    const driver = await start(() => []);
    const both = pipeline('both', ({ source, onFailure }) =>
      merge(source(words).pipe(decode(words)), source(shouted).pipe(decode(shouted))).pipe(onFailure()),
    );
    await (await join(driver, () => [both])).drain(0);
    await expect(join(driver, () => [both], sharedByProcesses(driver.bus))).rejects.toThrow(
      'pipeline both cannot be built: pipeline both: source is words and shouted, must be one topic on the stub backend, where workers share partitions: have pipelines write all of it to one topic, or read what is joined with table()',
    );
  });

  it('take the state of a partition over with the partition', async () => {
    const driver = await start();
    for (const partition of [0, 1]) say(driver, partition, 'a', 1);
    driver.runFor(1_000);
    const other = await join(driver);
    for (const partition of [0, 1]) say(driver, partition, 'b', 2);
    expect(other.pipelines[0]?.state.sizes).toEqual(new Map([['counts', 1]]));
    expect(driver.runtime.pipelines[0]?.state.sizes).toEqual(new Map([['counts', 1]]));
    driver.runFor(1_000);
    other.stop();
    for (const partition of [0, 1]) say(driver, partition, 'c', 3);
    expect(driver.runtime.pipelines[0]?.state.sizes).toEqual(new Map([['counts', 2]]));
    expect(counts(driver).sort()).toEqual(['k0 a 1', 'k0 b 2', 'k0 c 3', 'k1 a 1', 'k1 b 2', 'k1 c 3']);
  });

  it('go on behind the last snapshot where one is lost, and not with what it had in memory', async () => {
    const driver = await start();
    say(driver, 1, 'a', 1);
    driver.runFor(1_000);
    say(driver, 1, 'b', 2);
    const other = await join(driver);
    say(driver, 1, 'c', 3);
    expect(counts(driver)).toEqual(['k1 a 1', 'k1 b 2', 'k1 c 3']);
    other.stop();
  });

  // Kills: state kept after its partition has gone; a unit restored from a snapshot that is not its own or not the
  // last; partitions committed beyond what a snapshot covers.
  it('count exactly, whoever comes and goes when', async () => {
    await expectExactCounts({ waitWeight: 2, start, join: driver => join(driver) });
  });

  it('each say how far the partitions that they have are done', async () => {
    const driver = await start(() => [shouting()]);
    const other = await join(driver, () => [shouting()]);
    driver.mark(words, 10, 0);
    expect(marks(driver)).toEqual(['0 time 10']);
    driver.mark(words, 20, 1);
    expect(marks(driver)).toEqual(['0 time 10', '1 time 20']);
    other.stop();
    driver.mark(words, 30);
    expect(marks(driver).at(-1)).toBe('all time 30');
  });

  // Kills: a partition that came and went while its state was read, and whose watermark is waited for ever after.
  it('do not wait for a partition that went before it was ready', async () => {
    const driver = await start(() => []);
    const slow = await join(driver, () => [shouting()], readingSlowly(driver));
    const other = await join(driver, () => [shouting()]);
    driver.runFor(2_000);
    driver.mark(words, 10);
    driver.mark(words, 20);
    expect(marks(driver).sort()).toEqual(['0 time 10', '0 time 20', '1 time 10', '1 time 20']);
    other.stop();
    slow.stop();
  });

  // Kills: state as it was before somebody else had the partition, read slowly and believed.
  it('take up what others have stored of a partition that went and came again while its state was read', async () => {
    const driver = await start(() => []);
    const slow = await join(driver, () => [counting()], readingSlowly(driver));
    const other = await join(driver);
    for (const partition of [0, 1]) say(driver, partition, 'a', 1);
    driver.runFor(300);
    await other.drain(100);
    for (const partition of [0, 1]) say(driver, partition, 'b', 2);
    driver.runFor(3_000);
    expect(counts(driver).sort()).toEqual(['k0 a 1', 'k0 b 2', 'k1 a 1', 'k1 b 2']);
    slow.stop();
  });

  it('are taken together by those who read what they write', async () => {
    const seen: string[] = [];
    const reader = pipeline('reader', ({ source, onFailure }) =>
      source(shouted).pipe(
        decode(shouted, { markers: true }),
        scanByKey<string | Marker, { n: number }, never>(
          (_, value, { partition }) => {
            if (value instanceof Marker && partition === 0) seen.push(`${value.kind} ${value.time}`);
            return [];
          },
          { seed: () => ({ n: 0 }), codec: jsonState('1', json => json as { n: number }), key: () => 'all' },
        ),
        onFailure(),
      ),
    );
    const driver = await start(() => [shouting(), reader]);
    const other = await join(driver, () => [shouting()]);
    driver.mark(words, 10, 0);
    driver.mark(words, 20, 0);
    expect(seen).toEqual([]);
    driver.mark(words, 15, 1);
    expect(seen).toEqual(['time 15']);
    driver.mark(words, new Marker('end', 30), 1);
    expect(seen).toEqual(['time 15', 'time 20']);
    driver.mark(words, new Marker('end', 30), 0);
    expect(seen).toEqual(['time 15', 'time 20', 'end 30']);
    other.stop();
  });

  it('refuse state over all partitions where they share them', async () => {
    const whole = (members: 'many' | 'one'): Pipeline =>
      pipeline(
        'whole',
        ({ source, publisher, onFailure, state }) =>
          source(words).pipe(
            decode(words),
            scanByKey<string, { n: number }, string>((sum, word) => [`${word} ${++sum.n}`], {
              scope: 'pipeline',
              key: () => 'all',
              seed: () => ({ n: 0 }),
              codec: jsonState('1', json => json as { n: number }),
              state,
            }),
            publishTo(shouted, publisher),
            onFailure(),
          ),
        { members },
      );
    const many = await start(() => [whole('many')]);
    expect((await many.status('whole')).problem).toContain("give the pipeline the option members: 'one'");
    const one = await start(() => [whole('one')]);
    for (const partition of [0, 1]) say(one, partition, 'a', 1);
    one.runFor(1_000);
    await one.restart();
    say(one, 0, 'b', 2);
    expect(one.values(shouted).sort()).toEqual(['a 1', 'a 2', 'b 3']);
  });
});
