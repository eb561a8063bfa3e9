import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSink } from '../../../src/worker/sinks/file-sink.ts';
import { type OpenFile, openForAppending } from '../../../src/worker/sinks/line-file.ts';
import { context, delivered, notice } from './notices.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-sink-'));
  path = join(folder, 'notices.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const text = (): Promise<string> => readFile(path, 'utf8');
const line = (title: string, id: string): string => `${JSON.stringify({ ...notice(title), id })}\n`;

/** Real files whose writes break off half way as often as told. */
function fullDisk(times: number): OpenFile {
  return async at => {
    const file = await openForAppending(at);
    let left = times;
    const write = async (bytes: Buffer, from: number): Promise<{ bytesWritten: number }> => {
      if (left-- <= 0) return file.write(bytes, from);
      await file.write(bytes, from, 10);
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    };
    const broken = new Proxy(file, {
      get: (real, name) => {
        if (name === 'write') return write;
        const value: unknown = Reflect.get(real, name, real);
        return typeof value === 'function' ? (value.bind(real) as unknown) : value;
      },
    });
    return broken;
  };
}

describe('fileSink', () => {
  it('appends a line a notification, in the order in which they came', async () => {
    const sink = fileSink({ path });
    await Promise.all(['1', '2', '3'].map(id => delivered(sink.deliver(notice(`n${id}`), context(id)))));
    await sink.close?.();
    expect(await text()).toBe(line('n1', '1') + line('n2', '2') + line('n3', '3'));
  });

  it('writes a repetition once, also after a restart', async () => {
    const first = fileSink({ path });
    await delivered(first.deliver(notice('a'), context('1')));
    await delivered(first.deliver(notice('a'), context('1')));
    await first.close?.();
    const second = fileSink({ path });
    await delivered(second.deliver(notice('a'), context('1')));
    await delivered(second.deliver(notice('b'), context('2')));
    await second.close?.();
    expect(await text()).toBe(line('a', '1') + line('b', '2'));
  });

  it('opens again after it was closed', async () => {
    const sink = fileSink({ path });
    await sink.close?.();
    await delivered(sink.deliver(notice('a'), context('1')));
    await sink.close?.();
    await delivered(sink.deliver(notice('b'), context('2')));
    await sink.close?.();
    expect(await text()).toBe(line('a', '1') + line('b', '2'));
  });

  it.each([
    ['cuts off a torn last line', line('a', '1') + line('b', '2').slice(0, 20), line('a', '1')],
    ['cuts off a torn only line', '{"title":"a', ''],
    ['cuts off a torn line longer than a chunk', `${line('a', '1')}${'x'.repeat(200_000)}`, line('a', '1')],
    ['completes a line that lacks its line feed', line('a', '1').trimEnd(), line('a', '1')],
    ['leaves whole lines that are none of its own', 'something else\n', 'something else\n'],
  ])('%s', async (_, before, after) => {
    await writeFile(path, before);
    const sink = fileSink({ path });
    await delivered(sink.deliver(notice('new'), context('9')));
    await sink.close?.();
    expect(await text()).toBe(after + line('new', '9'));
  });

  it('fails while the disk is full, leaves no half line, and goes on after', async () => {
    const sink = fileSink({ path, open: fullDisk(1) });
    const deliver = (): Promise<unknown> => delivered(sink.deliver(notice('a'), context('1')));
    await expect(deliver()).rejects.toThrow(
      /^sink file: cannot write to .*notices.jsonl \(ENOSPC: .*\): free space on this disk/,
    );
    expect(await text()).toBe('');
    await deliver();
    await sink.close?.();
    expect(await text()).toBe(line('a', '1'));
  });

  it('says which file cannot be opened', async () => {
    const missing = join(folder, 'missing', 'a.jsonl');
    const sink = fileSink({ path: missing });
    await expect(delivered(sink.deliver(notice('a'), context('1')))).rejects.toThrow(
      /cannot write to .*missing\/a.jsonl \(ENOENT.*\): make its folder/,
    );
  });
});
