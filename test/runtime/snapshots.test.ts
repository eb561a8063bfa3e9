import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { FaultInjector, deriveId } from '../../src/index.ts';
import { changelogOf } from '../../src/runtime/snapshot-format.ts';
import { PipelineDriver, type PipelineDriverOptions, firstOccurrences } from '../../src/testing/index.ts';
import { committed, counting, shouted, topics, words } from './words.ts';

const changelog = changelogOf('count');

/** What the last stored end of each unit's snapshots says of offsets; undefined where there is none. */
function storedOffsets(driver: PipelineDriver): Readonly<Record<string, number>> | undefined {
  const ends = driver.messages(changelog).flatMap(({ partition, payload }) => {
    const record = payload && changelog.codec.decode(payload);
    return record && isRight(record) && record.right.kind === 'commit'
      ? [[partition, record.right.offsets] as const]
      : [];
  });
  const last = [...new Map(ends).values()];
  return ends.length === 0 ? undefined : Object.fromEntries(last.flatMap(offsets => Object.entries(offsets)));
}

const start = (rest: Partial<PipelineDriverOptions> = {}): Promise<PipelineDriver> =>
  PipelineDriver.start({
    topics,
    pipelines: () => [counting()],
    runtime: { snapshotIntervalMs: 1_000, snapshotEvery: 1_000 },
    ...rest,
  });

/** Says a word under a key; the same word once more has the same id. */
function say(driver: PipelineDriver, key: string, word: string, time = 0): void {
  driver.give(words, word, { key, timestamp: time, id: deriveId('test', 'words', key, time, word) });
}

/** What was counted, repetitions left out. */
function counts(driver: PipelineDriver): string[] {
  return firstOccurrences(driver.messages(shouted)).map(({ payload }) =>
    Buffer.from(payload ?? []).toString(),
  );
}

describe('snapshots', () => {
  it('let nothing be committed before they are stored, and everything they cover then', async () => {
    const driver = await start();
    for (const word of ['a', 'b', 'c']) say(driver, 'k', word);
    expect(await committed(driver, 'count')).toEqual([0, 0]);
    expect((await driver.status('count')).snapshots).toBe(0);
    driver.runFor(1_000);
    const partition = driver.messages(words)[0]?.partition ?? 0;
    expect((await committed(driver, 'count'))[partition]).toBe(3);
    expect(storedOffsets(driver)).toMatchObject({ [`words/${partition}`]: 3 });
    expect((await driver.status('count')).snapshots).toBe(1);
    driver.runFor(5_000);
    expect((await driver.status('count')).snapshots).toBe(1);
  });

  it('come after so many messages at the latest', async () => {
    const driver = await start({ runtime: { snapshotEvery: 10, snapshotIntervalMs: 1e6 } });
    for (let n = 0; n < 35; n++) say(driver, 'k', `w${n}`);
    expect((await driver.status('count')).snapshots).toBe(3);
  });

  it('go on behind them after a crash: nothing counted twice, nothing left out', async () => {
    const driver = await start();
    say(driver, 'k', 'a');
    say(driver, 'l', 'a');
    driver.runFor(1_000);
    say(driver, 'k', 'b');
    await driver.restart();
    say(driver, 'k', 'c');
    say(driver, 'l', 'b');
    expect(counts(driver).sort()).toEqual(['k a 1', 'k b 2', 'k c 3', 'l a 1', 'l b 2']);
    expect(driver.messages(shouted)).toHaveLength(6);
  });

  it('are taken by a drain, so that nothing comes twice', async () => {
    const driver = await start();
    say(driver, 'k', 'a');
    await driver.drain(1_000);
    await driver.restart();
    say(driver, 'k', 'b');
    expect(driver.values(shouted)).toEqual(['k a 1', 'k b 2']);
  });

  it('are not taken by a drain that ends with something in flight', async () => {
    const faults = new FaultInjector();
    const driver = await start({ faults });
    say(driver, 'k', 'a');
    faults.delayNextPublish(0);
    faults.delayNextPublish(10_000);
    say(driver, 'k', 'b');
    driver.runFor(1);
    expect(await driver.drain(500)).toBeLessThan(530);
    expect(storedOffsets(driver)).toBeUndefined();
    await driver.restart();
    driver.runFor(20_000);
    say(driver, 'k', 'c');
    expect(counts(driver)).toEqual(['k a 1', 'k b 2', 'k c 3']);
  });

  // Kills: a snapshot taken while something is in flight, whose state is ahead of its offsets.
  it('wait for what is in flight, and take nothing new meanwhile', async () => {
    const faults = new FaultInjector();
    const driver = await start({ faults });
    say(driver, 'm', 'a');
    faults.delayNextPublish(0);
    faults.delayNextPublish(1_800);
    say(driver, 'k', 'a');
    driver.runFor(1_500);
    say(driver, 'l', 'a');
    expect(await driver.status('count')).toMatchObject({ snapshots: 0, consumed: 2 });
    await driver.restart();
    driver.runFor(2_000);
    say(driver, 'k', 'b');
    expect(counts(driver).sort()).toEqual(['k a 1', 'k b 2', 'l a 1', 'm a 1']);
    expect((await driver.status('count')).snapshots).toBe(1);
  });

  it('keep the place of a partition in which nothing came since the restart', async () => {
    const driver = await start();
    driver.give(words, 'a', { key: 'k', partition: 0 });
    driver.give(words, 'a', { key: 'l', partition: 1 });
    driver.runFor(1_000);
    await driver.restart();
    driver.give(words, 'b', { key: 'k', partition: 0 });
    driver.runFor(1_000);
    expect(storedOffsets(driver)).toEqual({ 'words/0': 2, 'words/1': 1 });
  });

  // Kills: the end of a snapshot sent along with its states; slots not written in turn.
  it.each([0, 1, 2, 3, 4])(
    'that lack the message %i do not count: the one before them does',
    async lacking => {
      const faults = new FaultInjector();
      const driver = await start({ faults });
      for (const key of ['k', 'l', 'm']) say(driver, key, 'a');
      driver.runFor(1_000);
      for (const key of ['k', 'l', 'm']) say(driver, key, 'b');
      for (let i = 0; i < lacking; i++) faults.delayNextPublish(0);
      faults.failNextPublish('publish-timeout');
      driver.runFor(1_000);
      expect((await driver.status('count')).problem).toBe('injected fault: publish-timeout');
      expect((await driver.status('count')).snapshots).toBe(1);
      await driver.restart();
      for (const key of ['k', 'l', 'm']) say(driver, key, 'c');
      const wanted = ['k', 'l', 'm'].flatMap(key => [`${key} a 1`, `${key} b 2`, `${key} c 3`]);
      expect(counts(driver).sort()).toEqual(wanted);
      driver.runFor(1_000);
      await driver.restart();
      say(driver, 'k', 'd');
      expect(counts(driver)).toContain('k d 4');
      expect((await driver.status('count')).problem).toBeUndefined();
    },
  );

  it('are stored again once that is possible, without a restart', async () => {
    const faults = new FaultInjector();
    const driver = await start({ faults });
    say(driver, 'k', 'a');
    faults.failNextPublish('publish-timeout');
    driver.runFor(1_000);
    expect(await driver.status('count')).toMatchObject({
      snapshots: 0,
      problem: 'injected fault: publish-timeout',
    });
    say(driver, 'l', 'a');
    driver.runFor(1_000);
    expect(await driver.status('count')).toMatchObject({ snapshots: 1, problem: undefined });
    await driver.restart();
    say(driver, 'k', 'b');
    expect(counts(driver)).toContain('k b 2');
  });

  it('are stored again by themselves, though nothing comes any more', async () => {
    const faults = new FaultInjector();
    const driver = await start({ faults });
    say(driver, 'k', 'a');
    faults.failNextPublish('publish-timeout');
    driver.runFor(1_000);
    expect((await driver.status('count')).snapshots).toBe(0);
    driver.runFor(1_000);
    expect(await driver.status('count')).toMatchObject({ snapshots: 1, problem: undefined, lag: 0 });
  });

  it('forget a key for good', async () => {
    const driver = await start({ pipelines: () => [counting({ expireAfterMs: 1_000 })] });
    driver.give(words, 'a', { key: 'old', timestamp: 0, partition: 0 });
    driver.runFor(1_000);
    for (const time of [500, 2_000]) driver.give(words, 'a', { key: 'new', timestamp: time, partition: 0 });
    expect((await driver.status('count')).keys).toEqual(new Map([['counts', 1]]));
    driver.runFor(1_000);
    await driver.restart();
    expect((await driver.status('count')).keys).toEqual(new Map([['counts', 1]]));
    driver.give(words, 'b', { key: 'old', timestamp: 2_100, partition: 0 });
    expect(driver.values(shouted)).toContain('old b 1');
  });

  it('of another version are refused, with what to do', async () => {
    let version = '1';
    const driver = await start({ pipelines: () => [counting({ version })] });
    say(driver, 'k', 'a');
    driver.runFor(1_000);
    version = '2';
    await driver.restart();
    const { phase, problem } = await driver.status('count');
    expect(phase).toBe('restarting');
    expect(problem).toContain('pipeline count: stored state of counts has version 1, this code writes 2');
    expect(problem).toContain('cryptorun reset count --dry-run');
    version = '1';
    await driver.restart();
    say(driver, 'k', 'b');
    expect(counts(driver)).toEqual(['k a 1', 'k b 2']);
  });

  it('can be read as they stand', async () => {
    const driver = await start();
    say(driver, 'k', 'a');
    const [running] = driver.runtime.pipelines;
    expect([...(running?.state.read() ?? [])]).toMatchObject([
      { operator: 'counts', key: 'k', state: { n: 1 } },
    ]);
  });

  // Kills: the commit ahead of the snapshot; offsets taken before what they cover is settled; a snapshot
  // that is restored though its end was not stored; keys forgotten in memory alone.
  it('count exactly, whatever is interrupted when', async () => {
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ do: fc.constant('say' as const), key: fc.constantFrom('k', 'l', 'm') }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2_500 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'drain' as const, 'lose' as const) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('duplicate' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
        const faults = new FaultInjector();
        const driver = await start({ faults, runtime: { snapshotEvery: 5, snapshotIntervalMs: 1_000 } });
        const said = new Map<string, number>();
        for (const now of steps) {
          if (now.do === 'say') {
            const n = (said.get(now.key) ?? 0) + 1;
            said.set(now.key, n);
            say(driver, now.key, `w${n}`, n);
          } else if (now.do === 'wait') driver.runFor(now.ms);
          else if (now.do === 'crash') await driver.restart();
          else if (now.do === 'drain') {
            await driver.drain(100);
            await driver.restart();
          } else {
            // The next message is that of a snapshot, if one is due; else it is none of the words.
            if (now.do === 'lose') faults.failNextPublish('publish-timeout');
            else faults.duplicateNextPublish();
            driver.runFor(1_000);
            while (faults.next() !== undefined);
          }
          const stored = storedOffsets(driver) ?? {};
          const ahead = (await committed(driver, 'count')).filter(
            (at, p) => at > (stored[`words/${p}`] ?? 0),
          );
          expect(ahead).toEqual([]);
        }
        driver.runFor(3_000);
        const wanted = [...said].flatMap(([key, n]) =>
          Array.from({ length: n }, (_, i) => `${key} w${i + 1} ${i + 1}`),
        );
        expect(counts(driver).sort()).toEqual(wanted.sort());
      }),
      { numRuns: 60 },
    );
  });
});
