import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, map, tap, toArray } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { marketBars, signalsTopic } from '../../pipelines/index.ts';
import { createEventBus } from '../../src/backends.ts';
import { settlement } from '../../src/core/delivery.ts';

const folder = mkdtempSync(join(tmpdir(), 'kill-and-resume-'));

/** The main job on two and three quarters simulated days, which hold an entry and its exit. */
function start(dir: string): ChildProcess {
  const args = ['src/cli/main.ts', 'start', '--once', '--json', '--days', '2.75', '--dir', dir];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** How much of the feed has been read, told by the JSON lines of the run. */
async function untilProgress(child: ChildProcess, share: number): Promise<void> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const told = [...text.matchAll(/"progress":([\d.]+)/g)].at(-1)?.[1];
    if (told !== undefined && Number(told) >= share) return;
  }
}

async function finished(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume();
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Key, event time and payload by id of each first occurrence, by key in order. */
async function outcome(dir: string, topic: string): Promise<readonly string[]> {
  const bus = createEventBus({ kind: 'embedded', dir, readOnly: true });
  await bus.start();
  const messages = await lastValueFrom(
    bus.source(topic, { untilEnd: true }).pipe(
      tap(delivery => delivery[settlement].ack()),
      map(({ message }) => message),
      toArray(),
    ),
  );
  await bus.stop();
  const first = new Map<string, string>();
  for (const { id, key, timestamp, payload } of messages) {
    if (payload !== null && !first.has(id)) {
      first.set(id, `${key ?? ''} ${timestamp} ${id} ${Buffer.from(payload).toString()}`);
    }
  }
  return [...first.values()].toSorted((a, b) => (a.split(' ')[0] ?? '').localeCompare(b.split(' ')[0] ?? ''));
}

describe('the main job in a folder', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // Kills: commit ahead of the snapshot; a position recorded before its batch.
  it('gives the same bars and signals after kill -9 and a restart as without', async () => {
    const [calm, killed] = [join(folder, 'calm'), join(folder, 'killed')];
    expect(await finished(start(calm))).toBe(0);
    for (const share of [0.35, 0.8]) {
      const child = start(killed);
      await untilProgress(child, share);
      child.kill('SIGKILL');
      await finished(child);
    }
    expect(await finished(start(killed))).toBe(0);

    const signals = await outcome(calm, signalsTopic.name);
    expect(signals.length).toBeGreaterThan(0);
    expect(await outcome(killed, signalsTopic.name)).toEqual(signals);
    expect(await outcome(killed, marketBars.name)).toEqual(await outcome(calm, marketBars.name));
  }, 180_000);
});
