import { describe, expect, it } from 'vitest';
import { type PipelineOptions, Runtime } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { counts, expectExactCounts, say } from './coming-and-going.ts';
import { counting, topics } from './words.ts';

const runtime = { snapshotIntervalMs: 1_000, snapshotEvery: 5, worker: 'one' };
const warm: PipelineOptions = { standbyBytes: 1024 ** 2 };

const start = (options = warm): Promise<PipelineDriver> =>
  PipelineDriver.start({ topics, pipelines: () => [counting(options)], runtime });

/** One more process, as it were, on the same bus. */
async function join(driver: PipelineDriver, options = warm, worker = 'two'): Promise<Runtime> {
  const other = new Runtime([counting(options)], driver.bus, {
    ...runtime,
    worker,
    scheduler: driver.scheduler,
  });
  await other.start();
  return other;
}

/** So many keys of one partition are counted once, and stored. */
function fill(driver: PipelineDriver, partition: number, keys: number): void {
  for (let key = 0; key < keys; key++) say(driver, partition, 'a', 1, `k${partition}-${key}`);
  driver.runFor(2_000);
}

const number = (of: Runtime, name: string): number => of.meter.sum(`stream_${name}`, { pipeline: 'count' });

/** What was counted of the second word. */
const again = (driver: PipelineDriver): string[] =>
  counts(driver)
    .filter(count => count.includes(' b '))
    .sort();

describe('copies of the state that others have', () => {
  it('are kept up, so that what is left to read at a takeover is what was written last', async () => {
    const driver = await start();
    const other = await join(driver);
    fill(driver, 0, 100);
    fill(driver, 1, 100);
    driver.runFor(5_000);
    expect(number(other, 'standby_partitions')).toBe(1);
    expect(number(driver.runtime, 'standby_partitions')).toBe(1);
    expect(number(other, 'standby_lag')).toBe(0);
    expect(number(other, 'standby_bytes')).toBeGreaterThan(100 * 100);
    const before = number(other, 'restored_records_total');
    driver.stop();
    expect(number(other, 'restored_records_total')).toBe(before);
    for (const partition of [0, 1]) say(driver, partition, 'b', 2, `k${partition}-7`);
    expect(again(driver)).toEqual(['k0-7 b 2', 'k1-7 b 2']);
    expect(other.pipelines[0]?.state.sizes).toEqual(new Map([['counts', 200]]));
    driver.runFor(2_000);
    expect(number(other, 'standby_partitions')).toBe(0);
    expect(number(other, 'standby_bytes')).toBe(0);
    other.stop();
  });

  it('are made of what a member has lost, too', async () => {
    const driver = await start();
    fill(driver, 1, 50);
    const other = await join(driver);
    driver.runFor(2_000);
    expect(number(driver.runtime, 'standby_partitions')).toBe(1);
    other.stop();
    expect(number(driver.runtime, 'restored_records_total')).toBe(0);
    say(driver, 1, 'b', 2, 'k1-3');
    expect(again(driver)).toEqual(['k1-3 b 2']);
  });

  it('are not kept where the pipeline does not say so: all is read at a takeover', async () => {
    const driver = await start({});
    const other = await join(driver, {});
    fill(driver, 0, 100);
    driver.stop();
    expect(number(other, 'restored_records_total')).toBeGreaterThan(100);
    expect(number(other, 'standby_partitions')).toBe(0);
    other.stop();
  });

  it('take no more room than they may: what has none is read whole at a takeover', async () => {
    const driver = await start();
    const idle = await join(driver);
    idle.stop();
    fill(driver, 0, 100);
    fill(driver, 1, 100);
    const needed = await join(driver, warm, 'measuring');
    driver.runFor(2_000);
    const ofOne = number(needed, 'standby_bytes');
    needed.stop();
    driver.runFor(2_000);
    const tight = { standbyBytes: Math.floor(ofOne / 2) };
    const other = await join(driver, tight, 'tight');
    driver.runFor(2_000);
    expect(number(other, 'standby_partitions')).toBe(0);
    expect(number(other, 'standby_bytes')).toBe(0);
    const before = number(other, 'restored_records_total');
    driver.stop();
    expect(number(other, 'restored_records_total')).toBeGreaterThan(before + 100);
    say(driver, 0, 'b', 2, 'k0-1');
    expect(again(driver)).toEqual(['k0-1 b 2']);
    other.stop();
  });

  it('begin anew where the changelog is gone and made again', async () => {
    const driver = await start();
    const other = await join(driver);
    fill(driver, 0, 10);
    driver.runFor(2_000);
    expect(number(other, 'standby_bytes')).toBeGreaterThan(0);
    const [{ name, settings }] = [await driver.bus.getTopicInfo('cryptorun-count-changelog')];
    await driver.bus.deleteTopic(name);
    await driver.bus.createTopic({ name, settings });
    driver.runFor(100);
    expect(number(other, 'standby_bytes')).toBe(0);
    driver.runFor(10_000);
    expect(number(other, 'standby_partitions')).toBe(1);
    other.stop();
  });

  it('refuse a bound that is none', async () => {
    await expect(start({ standbyBytes: 0 })).rejects.toThrow('pipeline count: standbyBytes');
  });

  // Kills: a copy that is not read on in before its first message; one that goes on being read into after it was
  // taken over; records applied twice or out of order.
  it('give what was stored, whoever comes and goes when', async () => {
    await expectExactCounts({
      waitWeight: 3,
      start,
      join: (driver, others) => join(driver, warm, `other-${others}`),
    });
  });
});
