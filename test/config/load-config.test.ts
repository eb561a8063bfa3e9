import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as t from 'io-ts';
import { afterAll, describe, expect, it } from 'vitest';
import { shippedBackends } from '../../src/config/backends.ts';
import { bundleConfig } from '../../src/config/bundle.ts';
import { formatProblems } from '../../src/config/config-problem.ts';
import { loadConfig, parseConfig } from '../../src/config/load-config.ts';
import { TopicsConfig } from '../../src/config/topics.ts';
import { Text } from '../../src/config/values.ts';

const dir = mkdtempSync(join(tmpdir(), 'load-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const bundle = bundleConfig(shippedBackends);

function problemsOf(text: string, codec: t.Type<unknown, unknown> | t.Mixed, env = {}): string[] {
  const result = parseConfig('c.yaml', text, codec, env);
  return result._tag === 'Left' ? formatProblems(result.left).split('\n') : [];
}

describe('loadConfig', () => {
  it('names each of ten mistakes at its line and column, with the remedy', () => {
    const file = join(dir, 'topics.yaml');
    writeFileSync(
      file,
      `topics:
  cryptorun-prices:
    key: symbol
    partitions: "12"
    retention: 24h
    retenton: 24h
  cryptorun/trades:
    key: symbol
    partitions: 1
    retention: 1h
  cryptorun-bars:
    partitions: 0
    retention: 24
    retention: 24h
  cryptorun-signals:
    key: symbol
    partitions:
    retention: "7 days"
    maxMessageSize: \${MAX_SIZE}
`,
    );
    const result = loadConfig(file, TopicsConfig, {});
    if (result._tag === 'Right') throw new Error('the file should not load');
    expect(formatProblems(result.left).replaceAll(file, 'f').split('\n')).toEqual([
      'f:4:17 topics.cryptorun-prices.partitions: "12" is no whole number from 1 to 1024',
      'f:6:5 topics.cryptorun-prices.retenton: is not known here, did you mean retention? (known: key, partitions, replication, retention, compaction, maxMessageSize, doc, retentionBytes)',
      'f:7:3 topics.cryptorun/trades: the key is no topic name, write letters, digits, dots, hyphens or underscores, for example cryptorun-signals',
      'f:12:5 topics.cryptorun-bars.key: is missing: a text, write some words (in quotes where they look like a number)',
      'f:12:17 topics.cryptorun-bars.partitions: 0 is no whole number from 1 to 1024',
      'f:13:16 topics.cryptorun-bars.retention: 24 has no unit, write for example 7d or 24h',
      'f:14:5 topics.cryptorun-bars.retention: is written twice, first in line 13, keep one of them',
      'f:17:16 topics.cryptorun-signals.partitions: is empty: a whole number from 1 to 1024',
      'f:18:16 topics.cryptorun-signals.retention: "7 days" is no duration, write for example 7d or 24h',
      'f:19:21 topics.cryptorun-signals.maxMessageSize: the environment variable MAX_SIZE is not set, set it or write ${MAX_SIZE:-default}',
    ]);
  });

  it('says of a missing file, a folder, a large file and other encodings what to do', () => {
    const large = join(dir, 'large.yaml');
    writeFileSync(large, `# ${'x'.repeat(1024 ** 2)}`);
    const latin = join(dir, 'latin.yaml');
    writeFileSync(latin, Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    const said = [join(dir, 'absent.yaml'), dir, large, latin].map(file => {
      const result = loadConfig(file, TopicsConfig, {});
      return result._tag === 'Left' ? result.left.map(({ at, text }) => ({ at, text })) : [];
    });
    const at = { line: 1, column: 1 };
    expect(said).toEqual([
      [{ at, text: 'there is no such file, write it or correct its name' }],
      [{ at, text: 'is a folder, name a file in it' }],
      [{ at, text: 'holds 1048578 bytes, more than 1MB, split it or check that it is the right file' }],
      [{ at, text: 'is no UTF-8 text, save it as UTF-8' }],
    ]);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      ...[
        'topics:',
        '\n',
        '  ',
        '- ',
        ': ',
        '{',
        '}',
        '[',
        ']',
        '&a',
        '*a',
        '"',
        "'",
        '|',
        '>',
        '!!set ',
        '---',
      ],
      ...[
        'name: main',
        'pipelines',
        '${',
        '${A}',
        '${A:-1}',
        '}',
        '#',
        '? ',
        '<<',
        '__proto__',
        '\t',
        '%',
        'kind',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map(pieces => pieces.join('')),
    );
    fc.assert(
      fc.property(text, source => {
        for (const codec of [TopicsConfig, bundle] as const) {
          const result = parseConfig<unknown>('f', source, codec as t.Type<unknown, unknown>, { A: '1' });
          if (result._tag === 'Right') continue;
          expect(result.left.length).toBeGreaterThan(0);
          for (const { at, text } of result.left) {
            expect(at.line).toBeGreaterThan(0);
            expect(at.column).toBeGreaterThan(0);
            expect(text).not.toBe('');
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps values of the environment out of every problem', () => {
    const places = [
      'name: ${S}\n',
      'name: a\nbackend: ${S}\npipelines:\n  - name: b\n',
      'name: a\nbackend: {kind: "${S}"}\npipelines: ["${S}"]\nhttp: "${S}"\n',
      'name: a\nbackend: stub\npipelines:\n  - name: x${S}\n    failurePolicy: ${S}\n    concurrency: ${S}\n',
      'name: a\nbackend: stub\npipelines:\n  - name: b\nfeeds: ["-${S}"]\ndrainDeadline: ${S}\nlogLevel: ${S}\n',
      '${S}',
      'name: [${S}',
    ];
    const secret = fc
      .stringMatching(/^[A-Z0-9!%^]{12,20}$/)
      .filter(value => !places.some(text => text.includes(value)));
    fc.assert(
      fc.property(fc.constantFrom(...places), secret, (text, value) => {
        const problems = problemsOf(text, bundle, { S: value });
        expect(problems.length).toBeGreaterThan(0);
        expect(problems.join('\n')).not.toContain(value);
      }),
    );
  });

  it('does not show what stands under the key of a secret', () => {
    const codec = t.type({ password: Text, apiKey: Text });
    expect(problemsOf('password: 1234567\napiKey: 7654321\n', codec)).toEqual([
      'c.yaml:1:11 password: the value (not shown) is no text, write some words (in quotes where they look like a number)',
      'c.yaml:2:9 apiKey: the value (not shown) is no text, write some words (in quotes where they look like a number)',
    ]);
  });

  it('takes an unquoted variable as the number or the text that its key wants', () => {
    const codec = t.type({ port: t.number, token: t.string, on: t.boolean });
    const text = 'port: ${PORT}\ntoken: ${TOKEN}\non: ${ON:-true}\n';
    expect(parseConfig('f', text, codec, { PORT: '80', TOKEN: '0123' })).toMatchObject({
      right: { value: { port: 80, token: '0123', on: true } },
    });
  });

  it('keeps a problem in one line, whatever the keys hold', () => {
    expect(problemsOf('"a\\nb\\e[2J": 1\n', t.type({}))).toEqual([
      'c.yaml:1:1 a b [2J: is not known here, nothing is known here',
    ]);
  });

  it('says where a codec refuses a whole although its parts are right', () => {
    const rising = new t.Type<{ low: number; high: number }, unknown>(
      'range, write low below high',
      (u): u is { low: number; high: number } =>
        t.type({ low: t.number, high: t.number }).is(u) && u.low < u.high,
      (u, context) =>
        t.type({ low: t.number, high: t.number }).is(u) && u.low < u.high
          ? t.success(u)
          : t.failure(u, context),
      t.identity,
    );
    expect(problemsOf('range:\n  low: 2\n  high: 1\n', t.type({ range: rising }))).toEqual([
      'c.yaml:2:3 range: a map of keys is no range, write low below high',
    ]);
  });
});
