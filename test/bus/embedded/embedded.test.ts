import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { embeddedBus } from '../../../src/bus/embedded/embedded.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { MessageHeaders } from '../../../src/core/headers.ts';
import { messageId } from '../../../src/core/message.ts';
import { LogError } from '../../../src/log/log-error.ts';
import { SegmentLog } from '../../../src/log/segment-log.ts';
import {
  Clock,
  createTopic,
  everythingIn,
  payloads,
  smallDisk,
  startedBus,
  temporaryFolder,
  text,
} from './temporary-bus.ts';

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `${from + i}`);

describe('a bus in a folder', () => {
  it('has everything again after a restart: settings, messages, committed offsets', async () => {
    const dir = temporaryFolder();
    const first = await startedBus({ dir });
    await createTopic(first, 't', { partitions: 2, maxMessageBytes: 777 });
    const headers = MessageHeaders.of([
      ['a', '1'],
      ['a', Uint8Array.of(0, 255)],
    ]);
    const id = messageId('ab'.repeat(16));
    await first.publish({ ...text('t', 'k', 'one'), headers, id, timestamp: 12.5, partition: 1 });
    await first.publish({ ...text('t', null, null), partition: 1 });
    const [taken] = everythingIn(first, 't', { group: 'g' });
    await first.stop();

    const second = await startedBus({ dir });
    const info = await second.getTopicInfo('t');
    expect(info.settings).toMatchObject({ partitions: 2, maxMessageBytes: 777 });
    expect(info.groups).toEqual([{ group: 'g', partition: 1, committed: 2, lag: 0 }]);
    expect(everythingIn(second, 't', { group: 'g' })).toEqual([]);
    const [one, tombstone] = everythingIn(second, 't');
    expect(one).toMatchObject({ id, key: 'k', timestamp: 12.5, partition: 1, offset: 0 });
    expect(one?.logTime).toBe(taken?.logTime);
    expect(one?.headers.toFlat().map(part => (typeof part === 'string' ? part : [...part]))).toEqual([
      'a',
      '1',
      'a',
      [0, 255],
    ]);
    expect(tombstone).toMatchObject({ key: null, payload: null, offset: 1 });
  });

  it('is started again by the same object', async () => {
    const bus = await startedBus({ dir: temporaryFolder() });
    await createTopic(bus, 't');
    await bus.publish(text('t', 'k', 'one'));
    await bus.stop();
    await expect(bus.publish(text('t', 'k', 'no'))).rejects.toMatchObject({ code: 'bus-not-started' });
    await bus.start();
    await bus.publish(text('t', 'k', 'two'));
    expect(payloads(everythingIn(bus, 't'))).toEqual(['one', 'two']);
  });

  it('makes committed offsets durable within a second, or as often as the reader asks', async () => {
    const [scheduler, dir] = [new Clock(), temporaryFolder()];
    const bus = await startedBus({ dir, scheduler });
    await createTopic(bus, 't');
    for (const [group, options, waits] of [
      ['g', {}, 1000],
      ['h', { commitIntervalMs: 20 }, 20],
    ] as const) {
      await bus.publish(text('t', 'k', group));
      const committed = async (): Promise<number | undefined> => {
        const asIfKilled = await startedBus({ dir, readOnly: true });
        return (await asIfKilled.getTopicInfo('t')).groups.find(lag => lag.group === group)?.committed;
      };
      const subscription = bus.source('t', { group, from: 'latest', ...options }).subscribe(delivery => {
        delivery[settlement].ack();
      });
      await bus.publish(text('t', 'k', 'acked'));
      scheduler.runFor(waits - 1);
      const before = await committed();
      scheduler.runFor(1);
      expect([before, await committed()]).toEqual([undefined, group === 'g' ? 2 : 4]);
      subscription.unsubscribe();
    }
  });

  it('reads from the disk what is no longer in memory', async () => {
    const bus = await startedBus({ dir: temporaryFolder(), cacheBytes: 2000 });
    await createTopic(bus, 't', { partitions: 3 });
    for (const value of numbered(500)) await bus.publish({ ...text('t', 'k', value), partition: 1 });
    expect(payloads(everythingIn(bus, 't'))).toEqual(numbered(500));
  });

  it('belongs to one process, and tells the second who has it', async () => {
    const dir = temporaryFolder();
    const owner = await startedBus({ dir });
    const second = embeddedBus({ dir, scheduler: new Clock() });
    await expect(second.start()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining(`process ${process.pid}`) as unknown,
    });
    await owner.stop();
    await second.start();
    await second.stop();
  });

  it('lets go of the folder when it cannot be started', async () => {
    const dir = temporaryFolder();
    const first = await startedBus({ dir });
    await createTopic(first, 't');
    await first.stop();
    rmSync(join(dir, 'topics', 't', '0'), { recursive: true });
    writeFileSync(join(dir, 'topics', 't', '0'), 'in the way');
    const second = embeddedBus({ dir, scheduler: new Clock() });
    await expect(second.start()).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('A file stands where a folder is needed') as unknown,
    });
    rmSync(join(dir, 'topics', 't', '0'));
    await second.start();
    await second.stop();
  });

  it('begins a topic anew that was deleted and created again', async () => {
    const dir = temporaryFolder();
    const bus = await startedBus({ dir });
    await createTopic(bus, 't');
    await bus.publish(text('t', 'k', 'old'));
    everythingIn(bus, 't', { group: 'g' });
    await bus.deleteTopic('t');
    expect(existsSync(join(dir, 'topics', 't'))).toBe(false);
    await createTopic(bus, 't');
    await bus.publish(text('t', 'k', 'new'));
    expect(payloads(everythingIn(bus, 't', { group: 'g' }))).toEqual(['new']);
  });

  it('never lets a topic name leave the folder', async () => {
    const dir = join(temporaryFolder(), 'inner');
    const bus = await startedBus({ dir });
    await expect(createTopic(bus, '../../escaped')).rejects.toMatchObject({ code: 'invalid-option' });
    expect(readdirSync(join(dir, '..'))).toEqual(['inner']);
  });

  it('sets a committed offset back to the end where power failing took the messages', async () => {
    const dir = temporaryFolder();
    const first = await startedBus({ dir });
    await createTopic(first, 't');
    for (const value of numbered(5)) await first.publish(text('t', 'k', value));
    everythingIn(first, 't', { group: 'g' });
    await first.stop();
    rmSync(join(dir, 'topics', 't', '0'), { recursive: true });
    const second = await startedBus({ dir });
    await second.publish(text('t', 'k', 'after'));
    expect(payloads(everythingIn(second, 't', { group: 'g' }))).toEqual(['after']);
  });

  it('tells of damaged records in its health, and reads on behind them', async () => {
    const dir = temporaryFolder();
    const first = await startedBus({ dir });
    await createTopic(first, 't');
    for (const value of numbered(3)) await first.publish(text('t', 'k', value));
    await first.stop();
    const path = join(dir, 'topics', 't', '0', '00000000000000000000.log');
    const content = readFileSync(path);
    content[content.length / 3 + 30]! ^= 1;
    writeFileSync(path, content);
    const second = await startedBus({ dir });
    expect(payloads(everythingIn(second, 't'))).toEqual(['0', '2']);
    expect(await second.health()).toMatchObject({
      healthy: false,
      status: 'degraded',
      errors: [expect.stringContaining(path)],
    });
  });
});

describe('forcing to the disk', () => {
  const syncsIn = async (fsync: 'never' | 'interval' | 'batch', ms: number): Promise<number> => {
    const scheduler = new Clock();
    const bus = await startedBus({ dir: temporaryFolder(), scheduler, fsync, fsyncIntervalMs: 100 });
    await createTopic(bus, 't', { partitions: 2 });
    const sync = vi.spyOn(SegmentLog.prototype, 'sync');
    onTestFinished(() => sync.mockRestore());
    scheduler.runFor(ms);
    const count = sync.mock.calls.length;
    sync.mockRestore();
    return count;
  };

  it('happens by the clock with the policy interval alone, for every partition and the ledger', async () => {
    expect(await syncsIn('interval', 99)).toBe(0);
    expect(await syncsIn('interval', 300)).toBe(3 * 3);
    expect(await syncsIn('never', 5000)).toBe(0);
  });

  it('is told in health while it fails, and ends nothing', async () => {
    const scheduler = new Clock();
    const bus = await startedBus({ dir: temporaryFolder(), scheduler, fsync: 'interval' });
    await createTopic(bus, 't');
    const sync = vi.spyOn(SegmentLog.prototype, 'sync').mockImplementation(() => {
      throw new LogError('io', '/some/file', 'cannot force to the disk (EIO)', 'Check the disk.');
    });
    onTestFinished(() => sync.mockRestore());
    scheduler.runFor(1000);
    expect(await bus.health()).toMatchObject({
      status: 'degraded',
      errors: [expect.stringMatching(/forcing to the disk failed.*EIO.*Check the disk/) as unknown],
    });
    await bus.publish(text('t', 'k', 'goes on'));
    sync.mockRestore();
    scheduler.runFor(1000);
    expect(await bus.health()).toMatchObject({ healthy: true, errors: [] });
  });
});

describe('what a message may weigh', () => {
  it('is bounded for key and headers too, so that one message cannot fail those stored with it', async () => {
    const bus = await startedBus({ dir: temporaryFolder() });
    await createTopic(bus, 't');
    const headers = MessageHeaders.of({ large: 'x'.repeat(1024 * 1024) });
    const results = await bus.publishBatch([
      text('t', 'k', 'a'),
      { ...text('t', 'k', 'b'), headers },
      text('t', 'k'.repeat(1024 * 1024 + 1), 'c'),
      text('t', 'k'.repeat(1024 * 1024), 'd'),
    ]);
    expect(results.map(result => (result.ok ? 'stored' : result.error.code))).toEqual([
      'stored',
      'message-too-large',
      'message-too-large',
      'stored',
    ]);
    expect(payloads(everythingIn(bus, 't'))).toEqual(['a', 'd']);
  });
});

describe('a bus opened for reading', () => {
  it('reads beside the owner, and refuses to change anything', async () => {
    const dir = temporaryFolder();
    const owner = await startedBus({ dir });
    await createTopic(owner, 't');
    await owner.publish(text('t', 'k', 'one'));
    const reading = await startedBus({ dir, readOnly: true });
    expect(payloads(everythingIn(reading, 't', { group: 'g' }))).toEqual(['one']);
    const refusal = { code: 'storage', message: expect.stringContaining('opened for reading') as unknown };
    await expect(reading.publish(text('t', 'k', 'no'))).rejects.toMatchObject(refusal);
    await expect(createTopic(reading, 'u')).rejects.toMatchObject(refusal);
    await expect(reading.deleteTopic('t')).rejects.toMatchObject(refusal);
    await reading.stop();
    expect((await owner.getTopicInfo('t')).groups).toEqual([]);
    expect(payloads(everythingIn(owner, 't', { group: 'g' }))).toEqual(['one']);
  });
});

describe('retention in a folder', () => {
  it('frees the disk of what is older than the topic keeps', async () => {
    const scheduler = new Clock();
    const dir = temporaryFolder();
    const bus = await startedBus({ dir, scheduler, maintenanceIntervalMs: 1000 });
    await createTopic(bus, 't', { retentionMs: 10_000 });
    const filler = 'x'.repeat(1000);
    for (let second = 0; second < 60; second++) {
      await bus.publish(text('t', 'k', filler));
      scheduler.runFor(1000);
      const { partitions } = await bus.getTopicInfo('t');
      const held = partitions[0]!.nextOffset - partitions[0]!.firstOffset;
      expect(held).toBeGreaterThanOrEqual(Math.min(second, 10));
      expect(held).toBeLessThanOrEqual(31);
    }
    scheduler.runFor(20_000);
    expect((await bus.getTopicInfo('t')).partitions[0]).toMatchObject({
      firstOffset: 60,
      nextOffset: 60,
      bytes: 0,
    });
    await bus.stop();
    await bus.start();
    expect((await bus.getTopicInfo('t')).partitions[0]).toMatchObject({ firstOffset: 60, nextOffset: 60 });
  });

  it('compacts files to the newest of each key, over and over', async () => {
    const scheduler = new Clock();
    const bus = await startedBus({ dir: temporaryFolder(), scheduler, maintenanceIntervalMs: 1000 });
    await createTopic(bus, 't', { compaction: true });
    for (let round = 0; round < 20; round++) {
      for (const key of ['a', 'b', 'c']) await bus.publish(text('t', key, `${key}${round}`));
      await bus.publish(text('t', `once${round}`, 'kept'));
    }
    scheduler.runFor(1000);
    expect(payloads(everythingIn(bus, 't')).filter(value => value !== 'kept')).toEqual(['a19', 'b19', 'c19']);
    for (let round = 20; round < 60; round++) {
      for (const key of ['a', 'b', 'c']) await bus.publish(text('t', key, `${key}${round}`));
      scheduler.runFor(1000);
    }
    const values = payloads(everythingIn(bus, 't'));
    expect(values.filter(value => value === 'kept')).toHaveLength(20);
    expect(values.slice(-3)).toEqual(['a59', 'b59', 'c59']);
    expect(values.length).toBeLessThanOrEqual(20 + 3 + 12 + 3);
    await bus.stop();
    await bus.start();
    expect(payloads(everythingIn(bus, 't'))).toEqual(values);
  });
});

describe('a full disk', () => {
  it('makes publish fail, keeps what was acked, and lets the bus go on once there is room', async context => {
    const dir = smallDisk('512k');
    if (dir === undefined) return context.skip('mounting a small file system needs root');
    const scheduler = new Clock();
    const bus = await startedBus({ dir, scheduler, maintenanceIntervalMs: 1000, segmentBytes: 50_000 });
    await createTopic(bus, 't');
    await createTopic(bus, 'state', { compaction: true });
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(200_000));
    const acked: string[] = [];
    const seen: string[] = [];
    bus.source('t', { group: 'g' }).subscribe(delivery => {
      seen.push(Buffer.from(delivery.message.payload ?? []).toString());
      delivery[settlement].ack();
    });
    const publish = async (value: string): Promise<void> => {
      await bus.publish(text('t', 'k', value.padEnd(2000, '.')));
      acked.push(value.padEnd(2000, '.'));
    };
    let refusal: unknown;
    for (let i = 0; refusal === undefined && i < 1000; i++) {
      await publish(`${i}`).catch((cause: unknown) => (refusal = cause));
    }
    expect(refusal).toMatchObject({
      code: 'storage',
      retryable: true,
      message: expect.stringMatching(/^t\[0\]: cannot append .*ENOSPC.*Free space/) as unknown,
    });
    expect(acked.length).toBeGreaterThan(20);
    await expect(bus.publish(text('state', 'k', 'x'.repeat(5000)))).rejects.toMatchObject({
      code: 'storage',
    });
    scheduler.runFor(5000);
    expect((await bus.health()).status).not.toBe('stopped');
    rmSync(join(dir, 'ballast'));
    await publish('after');
    scheduler.runFor(5000);
    expect(await bus.health()).toMatchObject({ healthy: true, errors: [] });
    expect(seen).toEqual(acked);
    await bus.stop();
    const again = await startedBus({ dir });
    expect(payloads(everythingIn(again, 't'))).toEqual(acked);
    expect((await again.getTopicInfo('t')).groups).toMatchObject([{ committed: acked.length, lag: 0 }]);
  });
});
