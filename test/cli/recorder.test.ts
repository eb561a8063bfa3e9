import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEventBus } from '../../src/backends.ts';
import type { EventBus } from '../../src/bus/event-bus.ts';
import { Recorder } from '../../src/cli/record/recorder.ts';
import { textCodec } from '../../src/core/codec.ts';
import { defaultTopicSettings, topic } from '../../src/core/topic.ts';

const spoken = topic('spoken', textCodec, { ...defaultTopicSettings, partitions: 1 });
const write = fs.writeSync.bind(fs);

/** Lets a disk take so many bytes, and no more until it is called again. */
function diskWithRoomFor(bytes: number): void {
  let room = bytes;
  vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, data: Uint8Array) => {
    if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const written = write(fd, data, 0, Math.min(room, data.length));
    room -= written;
    return written;
  }) as typeof fs.writeSync);
  syncBuiltinESMExports();
}

describe('a recorder', () => {
  let folder: string;
  let bus: EventBus;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recorder-'));
    bus = createEventBus({ kind: 'stub' });
    await bus.start();
    await bus.createTopic(spoken);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
    await bus.stop();
    rmSync(folder, { recursive: true });
  });
  const say = (...texts: readonly string[]): Promise<unknown> =>
    bus.publishBatch(texts.map(text => ({ topic: spoken.name, key: 'k', payload: Buffer.from(text) })));
  const recorded = (): readonly unknown[] =>
    readFileSync(join(folder, 'spoken.jsonl'), 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => (JSON.parse(line) as { readonly value: unknown }).value);

  it('goes on in the middle of a line where the disk was full', async () => {
    const time = new VirtualTimeScheduler(undefined, 1_000);
    const recorder = new Recorder(bus, [spoken], folder, time);
    diskWithRoomFor(20);
    await say('one', 'two');
    time.flush();
    expect(recorder.problems.join()).toMatch(/spoken.jsonl cannot be written: .*ENOSPC.*Free some room/);

    await say('three');
    diskWithRoomFor(100_000);
    await recorder.close();
    expect(recorder.problems).toEqual([]);
    expect(recorded()).toEqual(['one', 'two', 'three']);
  });

  it('says at its end what a recording lacks', async () => {
    const recorder = new Recorder(bus, [spoken], folder, new VirtualTimeScheduler());
    await say('one');
    diskWithRoomFor(0);
    await recorder.close();
    expect(recorder.problems.join()).toMatch(/spoken.jsonl lacks the last 1 messages: free some room/);
  });

  it('reads to the end before it ends, whatever has come at once', async () => {
    const recorder = new Recorder(bus, [spoken], folder, new VirtualTimeScheduler());
    const all = Array.from({ length: 5_000 }, (_, i) => String(i));
    await say(...all);
    await recorder.close();
    expect(recorder.problems).toEqual([]);
    expect(recorded()).toEqual(all);
  });

  it('says what to do where its folder cannot be', () => {
    expect(() => new Recorder(bus, [spoken], join(folder, 'spoken.jsonl', '\0'))).toThrow(
      /--record .*Name a folder that can be written/,
    );
  });
});
