import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { defaultVersion, jarsFolder } from './artifacts.ts';

const run = promisify(execFile);

/** What this machine lacks to start a broker, in words for its user; undefined where nothing is missing. */
export async function missingForKafka(version: string = defaultVersion): Promise<string | undefined> {
  const java = await javaVersion();
  if (java === undefined) return 'Java is missing: install JDK 17 or newer, with "java" on the PATH';
  if (java < 17) return `Java ${java} is too old: install JDK 17 or newer`;
  if (existsSync(jarsFolder(version)) || (await isThere('mvn', '--version'))) return undefined;
  return 'Maven is missing, which fetches Kafka: install it, with "mvn" on the PATH';
}

/** The first lines of `java -version`, on stderr, hold `version "17.0.15"`; before 9 it was `"1.8.0"`. */
async function javaVersion(): Promise<number | undefined> {
  try {
    const { stderr } = await run('java', ['-version']);
    const [, version = '0'] = /version "(?:1\.)?(\d+)/.exec(stderr) ?? [];
    return Number(version);
  } catch {
    return undefined;
  }
}

async function isThere(command: string, argument: string): Promise<boolean> {
  return run(command, [argument]).then(
    () => true,
    () => false,
  );
}
