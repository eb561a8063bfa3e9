import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
    const audited = await messagesIn('cryptorun-audit-log');
    await cryptorun('reset', 'bars');
    expect(await messagesIn('cryptorun-market-bars')).toBe(0);
    expect(await messagesIn('cryptorun-momentum-scores')).toBe(0);
    expect(await messagesIn('cryptorun-market-prices')).toBeGreaterThan(1_000);
    expect(await messagesIn('cryptorun-audit-log')).toBe(audited + 1);
  });

  it('names what can be reset where it is told something else', async () => {
    await expect(cryptorun('reset', 'nothing')).rejects.toThrow(/PIPELINE one of bars, liquidity/);
  });
});
