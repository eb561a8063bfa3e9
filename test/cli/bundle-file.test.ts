import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadBundleWith } from '../../src/cli/bundle-file.ts';
import { CliError } from '../../src/cli/cli-error.ts';
import { defaultConfigDir } from '../../src/cli/settings.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bundle-file-'));
  cpSync(defaultConfigDir(), dir, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(file: string, ...lines: readonly string[]): string {
  const path = join(dir, file);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** What keeps a bundle from being loaded, a line each. */
function problems(file: string): readonly string[] {
  try {
    loadBundleWith(file, dir);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.message.replaceAll(`${dir}/`, '').split('\n');
  }
  return [];
}

it('a bundle is loaded with its backend and the settings of the folder', () => {
  const { bundle, backend, settings } = loadBundleWith(join(dir, 'bundles/scoring.yaml'), dir);
  expect(bundle.name).toBe('scoring');
  expect(backend.kind).toBe('embedded');
  expect(settings.topics.map(({ name }) => name)).toContain('cryptorun-market-prices');
});

it('mistakes of the bundle, its references and the settings beside it are told at once', () => {
  write('stream/topics.yaml', 'topics: {}', 'topcs: {}');
  const bundle = write(
    'bundles/mine.yaml',
    'name: mine',
    'backend: embeded',
    'pipelines:',
    '  - name: barz',
    '    maxInFlight: 0',
    'feeds: [simulatr]',
  );
  expect(problems(bundle)).toEqual([
    'bundles/mine.yaml:2:10 backend: "embeded" is no known backend, did you mean embedded? (known: stub, embedded, kafka)',
    expect.stringMatching(
      /^bundles\/mine.yaml:4:11 pipelines\[0\].name: "barz" is no known pipeline, did you mean bars\?/,
    ),
    'bundles/mine.yaml:5:18 pipelines[0].maxInFlight: 0 is no whole number from 1 to 1000000',
    expect.stringMatching(
      /^bundles\/mine.yaml:6:9 feeds\[0\]: "simulatr" is no feed, write for example simulator/,
    ),
    expect.stringMatching(/^stream\/topics.yaml:2:1 topcs: is not known here, did you mean topics\?/),
  ]);
});

it('any backend will do for a bundle while the file of backends cannot be read', () => {
  write('stream/backends.yaml', 'backends:', '  main: {kind: pulsar}');
  const bundle = write('bundles/mine.yaml', 'name: mine', 'backend: mine', 'pipelines: [{name: barz}]');
  expect(problems(bundle)).toEqual([
    expect.stringMatching(/^bundles\/mine.yaml:3:20 pipelines\[0\].name: "barz"/),
    expect.stringMatching(/^stream\/backends.yaml:2:16 backends.main.kind: pulsar is no known kind/),
  ]);
});

it('a guarantee that the backend cannot keep is told where it stands', () => {
  const bundle = write(
    'bundles/mine.yaml',
    'name: mine',
    'backend: stub',
    'pipelines: [{name: bars, guarantee: exactly-once}]',
  );
  expect(problems(bundle)).toEqual([
    expect.stringMatching(
      /^bundles\/mine.yaml:3:37 pipelines\[0\].guarantee: is more than a backend of kind/,
    ),
  ]);
});
