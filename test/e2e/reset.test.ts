import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getOrElse } from 'fp-ts/lib/Either.js';
import { lastValueFrom, map, tap, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventBus } from '../../src/backends.ts';
import { settlement } from '../../src/core/delivery.ts';
import { changelogOf } from '../../src/runtime/snapshot-format.ts';
import { type AuditEvent, auditTopic } from '../../src/worker/report-topics.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'reset-'));

async function cryptorun(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['src/cli/main.ts', ...args, '--dir', folder], {
    maxBuffer: 1e8,
  });
  return stdout;
}

/** Messages that a topic holds, as `topics` tells. */
async function messagesIn(topic: string): Promise<number> {
  const told = JSON.parse(await cryptorun('topics', '--json')) as readonly Told[];
  const partitions = told.find(({ name }) => name === topic)?.partitions ?? [];
  return partitions.reduce((sum, { firstOffset, nextOffset }) => sum + nextOffset - firstOffset, 0);
}

/** All that the audit log holds; one actor's events in their order. */
async function auditEvents(): Promise<readonly AuditEvent[]> {
  const bus = createEventBus({ kind: 'embedded', dir: folder, readOnly: true });
  await bus.start();
  try {
    const stored = await lastValueFrom(
      bus.source(auditTopic.name, { untilEnd: true }).pipe(
        tap(delivery => delivery[settlement].ack()),
        map(({ message }) => message),
        toArray(),
      ),
    );
    return stored
      .sort((a, b) => a.logTime - b.logTime || a.offset - b.offset)
      .flatMap(({ payload }) => (payload ? [auditTopic.codec.decode(payload)] : []))
      .map(
        getOrElse((error): AuditEvent => {
          throw new Error('an audit event cannot be read', { cause: error });
        }),
      );
  } finally {
    await bus.stop();
  }
}

interface Told {
  readonly name: string;
  readonly partitions: readonly { readonly firstOffset: number; readonly nextOffset: number }[];
}

describe('cryptorun reset', () => {
  beforeAll(() => cryptorun('start', '--once', '--plain', '--days', '1', '--symbols', '2'), 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('tells in a dry run what it would forget, and forgets nothing', async () => {
    const before = await messagesIn('cryptorun-market-bars');
    expect(before).toBeGreaterThan(1_000);
    const told = await cryptorun('reset', 'bars', '--dry-run');
    expect(told).toContain(`bars would forget its offsets`);
    expect(told).toContain(`${before} messages of cryptorun-market-bars`);
    expect(told).toContain('Nothing was changed');
    expect(await messagesIn('cryptorun-market-bars')).toBe(before);
  });

  it('forgets what a pipeline and those behind it have made, and says so in the audit log', async () => {
    const audited = (await auditEvents()).length;
    await cryptorun('reset', 'bars');
    expect(await messagesIn('cryptorun-market-bars')).toBe(0);
    expect(await messagesIn('cryptorun-momentum-scores')).toBe(0);
    expect(await messagesIn('cryptorun-market-prices')).toBeGreaterThan(1_000);
    const told = (await auditEvents()).slice(audited);
    expect(new Set(told.map(({ actor }) => actor))).toEqual(new Set(['cryptorun reset']));
    const subjects = (wanted: string): string[] =>
      told.filter(({ action }) => action === wanted).map(({ subject }) => subject);
    expect(subjects('topic-deleted')).toEqual(
      expect.arrayContaining(['cryptorun-market-bars', 'cryptorun-momentum-scores']),
    );
    expect(subjects('topic-deleted')).not.toContain('cryptorun-market-prices');
    expect(subjects('topic-created')).toEqual(subjects('topic-deleted'));
    expect(told.at(-1)).toMatchObject({ action: 'state-reset', subject: 'bars' });
  });

  it("forgets the state and offsets of a pipeline that is the user's own", async () => {
    const bus = createEventBus({ kind: 'embedded', dir: folder });
    await bus.start();
    const changelog = changelogOf('watching');
    await bus.createTopic(changelog);
    await bus.publish({ topic: changelog.name, key: 'roof', payload: Buffer.from('{}') });
    await bus.stop();
    expect(await cryptorun('reset', 'watching')).toContain(
      'watching forgets its offsets, 1 records of state',
    );
    expect(await messagesIn(changelog.name)).toBe(0);
  });

  it('names what can be reset where it is told something else', async () => {
    await expect(cryptorun('reset', 'nothing')).rejects.toThrow(
      /no pipeline nothing: it is none of bars, liquidity/,
    );
    await expect(cryptorun('reset')).rejects.toThrow(/PIPELINE one of bars, liquidity/);
  });
});
