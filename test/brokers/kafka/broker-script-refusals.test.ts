import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startedWith } from '../../worker/started-process.ts';

const script = fileURLToPath(new URL('main.ts', import.meta.url));

/** What `npm run broker:kafka` says and ends with where these programs, written for sh, are all that there is. */
async function refusal(
  programs: Readonly<Record<string, string>>,
): Promise<readonly [string, number | null]> {
  const folder = await mkdtemp(join(tmpdir(), 'few-programs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, lines] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const running = startedWith({ PATH: folder, CRYPTORUN_CACHE: join(folder, 'cache') }, script);
  const code = await running.ended;
  return [running.output().trim(), code];
}

describe('npm run broker:kafka on a machine that lacks', () => {
  it('Java says so, and what to install', async () => {
    const said = 'Java is missing: install JDK 17 or newer, with "java" on the PATH';
    expect(await refusal({})).toEqual([said, 1]);
  });

  it('a Java that is new enough says which one it has', async () => {
    const old = `echo 'openjdk version "11.0.2" 2019-01-15' >&2`;
    expect(await refusal({ java: old })).toEqual(['Java 11 is too old: install JDK 17 or newer', 1]);
    const older = `echo 'java version "1.8.0_392"' >&2`;
    expect(await refusal({ java: older })).toEqual(['Java 8 is too old: install JDK 17 or newer', 1]);
  });

  it('Maven, and has fetched no Kafka yet, says what Maven is for', async () => {
    const java = `echo 'openjdk version "17.0.15" 2025-04-15' >&2`;
    const said = 'Maven is missing, which fetches Kafka: install it, with "mvn" on the PATH';
    expect(await refusal({ java })).toEqual([said, 1]);
  });
});
