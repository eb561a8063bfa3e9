import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { projectFolder } from '../readme/code-blocks.ts';
import { cryptorun } from './cryptorun.ts';

const folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a configuration with mistakes', () => {
  const configs = join(folder, 'configs');
  cpSync(join(projectFolder, 'configs'), configs, { recursive: true });
  /** What is written instead of what, by file, and the line at which that is told. */
  const mistakes = [
    ['stream/topics.yaml', 'partitions: 12', 'partitions: twelve'],
    ['stream/topics.yaml', 'retention: 7d', 'retention: 7 days'],
    ['stream/topics.yaml', 'retention: 72h', 'retenton: 72h'],
    ['stream/topics.yaml', 'partitions: 24', 'partitions: 0'],
    ['momentum.yaml', /^( *rsiBars: ).*$/m, '$1many'],
    ['momentum.yaml', /^( *vadrBars: ).*$/m, '$1-1'],
    ['gates.yaml', /^( *minScore: ).*$/m, '$1"75"'],
    ['gates.yaml', /^( *)minAdx:/m, '$1minAdxx:'],
    ['regimes.yaml', /^( *minReturns: ).*$/m, '$1'],
    ['signals.yaml', /^( *exitBelow: ).*$/m, '$1[]'],
  ] as const;
  for (const [file, from, to] of mistakes) {
    const path = join(configs, file);
    const text = readFileSync(path, 'utf8');
    const wrong = text.replace(from, to);
    if (wrong === text) throw new Error(`${file} has no ${String(from)}`);
    writeFileSync(path, wrong);
  }

  it.each([
    ['start', '--memory'],
    ['config', 'check'],
    ['worker', '--bundle', join(configs, 'bundles/main.yaml')],
  ])('ends %s with exit code 2 and every mistake at its place', async (...args) => {
    const { code, err, out } = await cryptorun(...args, '--config', configs).ended;
    expect(code).toBe(2);
    const told = `${err}${out}`.split('\n').filter(line => line.startsWith(configs));
    for (const line of told) expect(line).toMatch(/\.yaml:\d+:\d+ [\w.<>-]+: ./);
    const files = told.map(line => line.slice(configs.length + 1, line.indexOf(':')));
    for (const file of new Set(mistakes.map(([name]) => name))) {
      const made = mistakes.filter(([name]) => name === file).length;
      expect({ file, told: files.filter(name => name === file).length >= made }).toEqual({
        file,
        told: true,
      });
    }
  });
});

describe('a recorded file that is damaged in the middle', () => {
  const start = 1_700_000_040_000;
  const rows = Array.from({ length: 3_000 }, (_, i) => [start + i * 60_000, 100, 101, 99, 100 + (i % 7), 10]);
  const text = JSON.stringify(rows);
  const packed = gzipSync(text);
  const half = text.indexOf(JSON.stringify(rows[1_500]));

  it.each([
    {
      name: 'BTC_USDT-1m.json.gz',
      damage: 'is cut off',
      content: packed.subarray(0, packed.length / 2),
      says: 'the file cannot be unpacked beyond here',
      /** How many rows there must be at least. */
      whole: 100,
    },
    {
      name: 'ETH_USDT-1m.json',
      damage: 'has one row that is no JSON',
      content: `${text.slice(0, half)}[what?],${text.slice(half)}`,
      says: 'the row is no JSON',
      whole: 3_000,
    },
    {
      name: 'SOL_USDT-1m.json',
      damage: 'ends within a row',
      content: text.slice(0, half + 9),
      says: 'the file ends within a row',
      whole: 1_500,
    },
  ])(
    'that $damage is read as far as it goes, and says where it is damaged',
    async ({ name, content, says, whole }) => {
      const [path, record] = [join(folder, name), join(folder, `${name}-recorded`)];
      writeFileSync(path, content);
      const { code, out, err } = await cryptorun(
        'start',
        '--memory',
        '--feed',
        `file:${path}`,
        '--record',
        record,
      ).ended;
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/dead letters? of the feed; [12] malformed/);
      expect(out).toContain(says);
      const linesOf = (topic: string): string[] =>
        readFileSync(join(record, `${topic}.jsonl`), 'utf8').split('\n');
      const times = linesOf('cryptorun-market-bars').flatMap(line => /"time":(\d+)/.exec(line)?.[1] ?? []);
      // The row before the damage, and behind a row that is damaged all the others: none is left out.
      const expected = times.map((_, i) => String(start + (i + 1) * 60_000));
      expect(times.length).toBeGreaterThanOrEqual(whole);
      expect(times).toEqual(expected);
      const letters = linesOf('cryptorun-dlq').filter(line => line.includes(says));
      expect(letters).toHaveLength(1);
      expect(letters[0]).toContain(name);
    },
  );
});

describe('a port that is in use', () => {
  it('ends a worker with exit code 2, the address, and what to do', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const bundle = join(folder, 'bundle.yaml');
    writeFileSync(
      bundle,
      `name: port\nbackend: { kind: stub }\npipelines: [{ name: bars }]\nhttp: { port: ${port} }\n`,
    );
    const { code, err } = await cryptorun('worker', '--bundle', bundle).ended;
    expect(code).toBe(2);
    expect(err).toContain(`cannot listen at 127.0.0.1 port ${port}`);
    expect(err).toContain('take another with --http HOST:PORT or http.port');
  });
});
