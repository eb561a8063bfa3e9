import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedBus } from '../../../src/bus/embedded/embedded.ts';
import { main } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dlq-usage-'));

async function run(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    out: text => void out.push(text),
    err: text => void err.push(text),
    stream: { write: () => undefined, columns: 80, rows: 24 },
    isInteractive: false,
    confirm: () => Promise.resolve(true),
    colour: false,
  };
  return { code: await main(args, terminal), out: out.join('\n'), err: err.join('\n') };
}

describe('cryptorun dlq and quarantine', () => {
  beforeAll(async () => {
    const bus = embeddedBus({ dir: folder });
    await bus.start();
    await bus.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    { args: ['dlq'], says: 'Usage: cryptorun dlq list|show|groups|redrive' },
    { args: ['dlq', 'redriv'], says: 'Did you mean redrive?' },
    { args: ['dlq', 'list', '--rate', '3'], says: '--rate is for redrive' },
    { args: ['dlq', 'show'], says: 'Name a letter' },
    { args: ['dlq', 'show', 'xyz'], says: 'Name a letter' },
    { args: ['dlq', 'list'], says: 'nothing has failed yet' },
    { args: ['dlq', 'redrive'], says: 'nothing has failed yet' },
    { args: ['dlq', 'redrive', '--rate', '0'], says: '--rate is "0"' },
    { args: ['dlq', 'redrive', '--limit', '1.5'], says: '--limit must be a whole number' },
    { args: ['dlq', 'redrive', '--transform', '/no/such.ts'], says: 'there is no file /no/such.ts' },
    { args: ['dlq', 'list', '--since', 'soon'], says: '--since is "soon"' },
    { args: ['dlq', 'list', '--dir', '/no/such/folder'], says: 'There is no data' },
    { args: ['dlq', 'redrive', '--topic', 'cryptorun-quarantine'], says: 'quarantine release' },
    { args: ['quarantine', 'release'], says: 'or --all' },
    { args: ['quarantine', 'release', '--all', '--key', 'a'], says: 'exclude each other' },
    { args: ['quarantine', 'groups'], says: 'list|show|release' },
  ])('ends $args with exit code 2 and what to do', async ({ args, says }) => {
    const where = args.includes('--dir') ? [] : ['--dir', folder];
    const { code, err } = await run([...args, ...where]);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(says) as string });
  });

  it('help', async () => {
    const { code, out } = await run(['dlq', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('--transform FILE');
  });
});
