import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as t from 'io-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEventBus } from '../../src/backends.ts';
import { kafkaBus } from '../../src/bus/kafka/kafka.ts';
import { kindsWithoutTransactions, shippedBackends } from '../../src/config/backends.ts';
import { checkConfigs, type CheckConfigsOptions } from '../../src/config/check-configs.ts';
import { formatProblems } from '../../src/config/config-problem.ts';

const pipelines = ['bars', 'liquidity', 'momentum', 'regime', 'gates', 'signals', 'notifications', 'retries'];
const shipped = new URL('../../configs', import.meta.url).pathname;

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'check-configs-'));
  for (const folder of ['stream', 'bundles'])
    cpSync(join(shipped, folder), join(dir, folder), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

function check(options: Partial<CheckConfigsOptions> = {}): string[] {
  const problems = checkConfigs(dir, { env: {}, pipelines, kinds: shippedBackends, ...options });
  return problems.length === 0 ? [] : formatProblems(problems).replaceAll(`${dir}/`, '').split('\n');
}

describe('checkConfigs', () => {
  it('finds nothing wrong with what is shipped', () => {
    expect(check()).toEqual([]);
  });

  it('reports problems of all files at once, references across files included', () => {
    writeFileSync(
      join(dir, 'bundles/bad.yaml'),
      'name: main\nbackend: embeded\npipelines:\n  - name: bars\n    maxInFlight: 0\n  - name: momentun\n  - name: bars\n',
    );
    writeFileSync(join(dir, 'stream/topcs.yaml'), 'topics: {}\n');
    writeFileSync(join(dir, 'momentum.yaml'), 'weight: heavy\n');
    const files = [
      { file: 'momentum.yaml', codec: t.type({ weight: t.number }) },
      { file: 'gates.yaml', codec: t.type({}) },
    ];
    expect(check({ files })).toEqual([
      'bundles/bad.yaml:2:10 backend: "embeded" is no known backend, did you mean embedded? (known: stub, embedded, kafka)',
      'bundles/bad.yaml:5:18 pipelines[0].maxInFlight: 0 is no whole number from 1 to 1000000',
      `bundles/bad.yaml:6:11 pipelines[1].name: "momentun" is no known pipeline, did you mean momentum? (known: ${pipelines.join(', ')})`,
      'bundles/bad.yaml:7:11 pipelines[2].name: is in this bundle already, keep one of the two',
      'bundles/main.yaml:1:7 name: is the name of bundles/bad.yaml too, choose another',
      'gates.yaml:1:1 there is no such file, write it or correct its name',
      'momentum.yaml:1:9 weight: "heavy" is no number',
      'stream/topcs.yaml:1:1 nothing reads this file, did you mean stream/topics.yaml? (known: stream/topics.yaml, stream/backends.yaml, momentum.yaml, gates.yaml)',
    ]);
  });

  it('knows which backends keep no exactly-once, whether a bundle names them or holds them', () => {
    const bundle = (name: string, backend: string): void =>
      writeFileSync(
        join(dir, `bundles/${name}.yaml`),
        `name: ${name}\nbackend: ${backend}\npipelines:\n  - {name: bars, guarantee: exactly-once}\n  - {name: momentum, guarantee: at-least-once}\n`,
      );
    bundle('held', '{kind: stub}');
    bundle('named', 'embedded');
    bundle('able', 'kafka');
    const refused = (kind: string): string =>
      `4:29 pipelines[0].guarantee: is more than a backend of kind ${kind} can keep, take one of kind kafka, or another guarantee`;
    expect(check()).toEqual([
      `bundles/held.yaml:${refused('stub')}`,
      `bundles/named.yaml:${refused('embedded')}`,
    ]);
  });

  it.each(['stub', 'embedded'] as const)('is right about what %s lacks', kind => {
    const { capabilities } = createEventBus(kind === 'stub' ? { kind } : { kind, dir });
    expect(kindsWithoutTransactions.includes(kind)).toBe(!capabilities.transactions);
    expect(kafkaBus({ brokers: ['127.0.0.1:1'] }).capabilities.transactions).toBe(true);
  });

  it('does not blame bundles for backends that could not be read', () => {
    writeFileSync(join(dir, 'stream/backends.yaml'), 'backends:\n  main: {kind: pulsar}\n');
    expect(check()).toEqual([
      'stream/backends.yaml:2:16 backends.main.kind: pulsar is no known kind, known: stub, embedded, kafka',
    ]);
  });

  it('keeps a backend named by the environment out of the problem', () => {
    const problems = check({ env: { CRYPTORUN_BACKEND: 'very-secret' } });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('very-secret');
  });

  it('says so where there is no such folder', () => {
    const [problem] = checkConfigs(join(dir, 'absent'), { env: {}, pipelines, kinds: shippedBackends });
    expect(problem?.text).toBe('the folder cannot be read (ENOENT), name the folder of configs');
  });
});
