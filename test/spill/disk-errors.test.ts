import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import { Broker, openedSpill, temporaryFolder, text, textOf } from './temporary-spill.ts';

/** A small file system of its own; undefined where this machine does not allow one. */
function smallDisk(): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

const padded = (n: number): string => `${n}`.padEnd(1000, '.');
const numbersOf = (texts: readonly string[]): number[] => texts.map(each => parseInt(each, 10));

describe('a full disk', () => {
  it('refuses what does not fit, keeps what was accepted, and goes on once there is room', async context => {
    const dir = smallDisk();
    if (dir === undefined) return context.skip('mounting a small file system needs root');
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(100_000));
    const { broker, send, told, runFor, events, publisher } = await openedSpill({ dir, memoryMessages: 5 });
    broker.goAway();
    for (let n = 0; n < 300; n++) {
      send(text(padded(n)));
      await runFor(1);
    }
    const accepted = [...told].filter(([, word]) => 'tag' in word).map(([name]) => parseInt(name, 10));
    expect(accepted.length).toBeGreaterThan(50);
    expect(accepted).toEqual([...accepted.keys()]);
    const error = told.get(padded(299));
    expect(error).toMatchObject({ code: 'buffer-full', retryable: true, cause: { code: 'disk-full' } });
    expect(events.filter(({ tag }) => tag === 'failed').length).toBeGreaterThan(0);

    rmSync(join(dir, 'ballast'));
    await expect(Promise.all([publisher.publish(text(padded(300))), runFor(1)])).resolves.toMatchObject([
      { tag: 'spilled' },
      undefined,
    ]);
    broker.comeBack();
    await runFor(20_000);
    expect(numbersOf(broker.texts)).toEqual([...accepted, 300]);
    expect(publisher.status().isSpilling).toBe(false);
    return undefined;
  });

  it('while memory is to be written refuses what comes, and what waits in memory goes on waiting', async context => {
    const dir = smallDisk();
    if (dir === undefined) return context.skip('mounting a small file system needs root');
    const { broker, send, told, runFor } = await openedSpill({ dir, memoryMessages: 5 });
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(150_000));
    fill(dir);
    broker.goAway();
    for (let n = 0; n < 10; n++) send(text(padded(n)));
    await runFor(3000);
    expect(numbersOf([...told.keys()])).toEqual([5, 6, 7, 8, 9]);
    expect([...told.values()].every(word => 'code' in word && word.code === 'buffer-full')).toBe(true);
    rmSync(join(dir, 'ballast'));
    await runFor(3000);
    expect(told.get(padded(0))).toMatchObject({ tag: 'spilled' });
    broker.comeBack();
    await runFor(20_000);
    expect(numbersOf(broker.texts)).toEqual([0, 1, 2, 3, 4]);
    return undefined;
  });

  it('on which a refused message cannot be set aside keeps it until it can', async context => {
    const dir = smallDisk();
    if (dir === undefined) return context.skip('mounting a small file system needs root');
    const { broker, send, runFor, publisher, events } = await openedSpill({ dir, memoryMessages: 1 });
    broker.goAway();
    for (let n = 0; n < 20; n++) send(text(padded(n)));
    await runFor(1);
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(100_000));
    fill(dir);
    broker.answer = message => (textOf(message).startsWith('7.') ? 'message-too-large' : 'stored');
    await runFor(5000);
    expect(numbersOf(broker.texts)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(events.at(-1)).toMatchObject({ tag: 'waiting', cause: { code: 'buffer-full' } });
    rmSync(join(dir, 'ballast'));
    await runFor(20_000);
    expect(numbersOf(broker.texts)).toEqual([...Array(20).keys()].filter(n => n !== 7));
    expect([...publisher.refused()].map(({ message }) => message && textOf(message))).toEqual([padded(7)]);
    return undefined;
  });
});

describe('a folder that cannot be written', () => {
  it('on a read-only file system is refused when it is opened', async context => {
    const dir = smallDisk();
    if (dir === undefined) return context.skip('mounting a small file system needs root');
    execFileSync('mount', ['-o', 'remount,ro', dir]);
    const error = await createSpillingPublisher(new Broker(), { dir }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'storage', cause: { code: 'permission' } });
    expect(String(error)).toContain('mounted read-only');
    return undefined;
  });

  it('any more refuses what comes, delivers what is there, and goes on once it can be', async context => {
    if (process.getuid?.() !== 0) return context.skip('only root can give its rights up and take them back');
    const { broker, send, told, runFor, events, publisher } = await openedSpill({
      memoryMessages: 1,
      maxBytes: 20_000,
    });
    broker.goAway();
    for (let n = 0; n < 10; n++) {
      send(text(padded(n)));
      await runFor(1);
    }
    await asNobody(async () => {
      for (let n = 10; n < 15; n++) {
        send(text(padded(n)));
        await runFor(1);
      }
      broker.comeBack();
      await runFor(20_000);
    });
    const accepted = [...told].filter(([, word]) => 'tag' in word).map(([name]) => parseInt(name, 10));
    expect(accepted.length).toBeLessThan(15);
    expect(told.get(padded(14))).toMatchObject({
      code: 'storage',
      retryable: true,
      cause: { code: 'permission' },
    });
    expect(numbersOf(broker.texts)).toEqual(accepted);
    expect(events.findLast(({ tag }) => tag === 'failed')).toMatchObject({ cause: { code: 'storage' } });
    broker.goAway();
    for (let n = 15; n < 20; n++) send(text(padded(n)));
    await runFor(1);
    broker.comeBack();
    await runFor(20_000);
    expect(numbersOf(broker.texts)).toEqual([...accepted, 15, 16, 17, 18, 19]);
    expect(publisher.status()).toMatchObject({ isSpilling: false, spilled: 0 });
    return undefined;
  });

  it('because a file stands there says so', async () => {
    const dir = join(temporaryFolder(), 'file');
    writeFileSync(dir, '');
    const error = await createSpillingPublisher(new Broker(), { dir }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'storage', cause: { code: 'io' } });
    expect(String(error)).toContain('A file stands where a folder is needed');
  });
});

/** Takes the last free bytes of a disk. */
function fill(dir: string): void {
  try {
    for (let part = 0; ; part++) writeFileSync(join(dir, `fill-${part}`), Buffer.alloc(4096));
  } catch {
    // Full.
  }
}

/** With the rights of a user who has none here. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
