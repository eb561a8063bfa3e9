import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedOptions, embeddedBus } from '../../src/bus/embedded/embedded.ts';
import { defaultTopicSettings } from '../../src/core/topic.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import { Broker, openedSpill, text } from '../spill/temporary-spill.ts';
import { DiskModel, losePower } from './disk-model.ts';
import { everything, openedLog, plain, recordsFrom, temporaryFolder } from './temporary-log.ts';

/** A folder, and what a loss of power would leave of it. */
function watchedFolder(): { dir: string; model: DiskModel; afterPowerLoss: () => string } {
  const [dir, disk] = [temporaryFolder(), temporaryFolder()];
  const model = new DiskModel(dir, disk);
  onTestFinished(model.install());
  return {
    dir,
    model,
    afterPowerLoss: () => {
      const left = temporaryFolder();
      losePower(disk, left);
      // Its owner is gone with the power; here it is this process.
      rmSync(join(left, 'owner.lock'), { force: true });
      return left;
    },
  };
}

describe('the model of a disk', () => {
  it('loses what was written and not forced, and names of files whose folder was not', () => {
    const { dir, afterPowerLoss } = watchedFolder();
    const log = openedLog(dir);
    log.append(recordsFrom(0, 3));
    expect(everything(openedLog(afterPowerLoss()))).toEqual([]);
    log.sync();
    log.append(recordsFrom(3, 2));
    expect(plain(everything(openedLog(afterPowerLoss())))).toEqual(plain(recordsFrom(0, 3)));
  });
});

describe('a loss of power', () => {
  it('takes nothing of a log that forces each batch, over all of its files', () => {
    const { dir, afterPowerLoss } = watchedFolder();
    const log = openedLog(dir, { fsync: 'batch', segmentBytes: 500 });
    for (let at = 0; at < 60; at += 3) {
      log.append(recordsFrom(at, 3));
      expect(plain(everything(openedLog(afterPowerLoss())))).toEqual(plain(recordsFrom(0, at + 3)));
    }
    expect(log.segments().length).toBeGreaterThan(3);
    log.dropBefore(30);
    const left = openedLog(afterPowerLoss());
    expect(left.read(30, 100).length).toBe(30);
    expect(left.corruptions).toEqual([]);
  });

  it('takes nothing that a bus with fsync batch has acknowledged, and of an interval what came in it', async () => {
    for (const fsync of ['batch', 'interval'] as const) {
      const { dir, afterPowerLoss } = watchedFolder();
      const options = { fsync, fsyncIntervalMs: 3_600_000 } satisfies Partial<EmbeddedOptions>;
      const bus = embeddedBus({ dir, ...options });
      await bus.start();
      onTestFinished(() => bus.stop());
      await bus.createTopic({ name: 'prices', settings: { ...defaultTopicSettings, partitions: 2 } });
      for (let n = 0; n < 40; n++)
        await bus.publish({ topic: 'prices', key: `k${n}`, payload: Buffer.from(`${n}`) });
      const left = embeddedBus({ dir: afterPowerLoss(), readOnly: true });
      await left.start();
      onTestFinished(() => left.stop());
      if (fsync === 'interval') {
        await expect(left.getTopicInfo('prices')).rejects.toMatchObject({ code: 'topic-not-found' });
        continue;
      }
      const { partitions } = await left.getTopicInfo('prices');
      expect(partitions.reduce((sum, { nextOffset }) => sum + nextOffset, 0)).toBe(40);
    }
  });

  it('takes nothing that a spill called durable: it is told so after the disk has it', async () => {
    const { dir, model, afterPowerLoss } = watchedFolder();
    const { broker, publisher, runFor } = await openedSpill({ dir, fsync: 'batch', spillAfterMs: 100 });
    broker.goAway();
    for (let n = 0; n < 20; n++) {
      const begun = model.steps.length;
      const accepting = publisher.publish(text(String(n)));
      const told = accepting.then(acceptance => ({ acceptance, steps: model.steps.slice(begun) }));
      await runFor(200);
      const { acceptance, steps } = await told;
      expect(acceptance).toEqual({ tag: 'spilled', durable: true });
      const messages = steps.filter(step => step.includes('messages'));
      // Written, and forced: nothing is between that and the word but what else is on the disk by now.
      expect(messages.at(-1)).toMatch(/^force messages/);
      expect(messages.lastIndexOf('write messages/00000000000000000000.log')).toBeLessThan(
        messages.lastIndexOf('force messages/00000000000000000000.log'),
      );
    }
    const next = new Broker();
    const left = await createSpillingPublisher(next, { dir: afterPowerLoss(), fsync: 'batch' });
    onTestFinished(() => left.close());
    await expect.poll(() => next.texts).toEqual(Array.from({ length: 20 }, (_, n) => String(n)));
  });

  it('may take what a spill called spilled and not durable', async () => {
    const { dir, afterPowerLoss } = watchedFolder();
    const { broker, publisher, runFor } = await openedSpill({ dir, fsync: 'never', spillAfterMs: 100 });
    broker.goAway();
    const accepting = publisher.publish(text('a'));
    await runFor(1000);
    expect(await accepting).toEqual({ tag: 'spilled', durable: false });
    const left = await createSpillingPublisher(new Broker(), { dir: afterPowerLoss() });
    onTestFinished(() => left.close());
    expect(left.status().spilled).toBe(0);
  });
});
