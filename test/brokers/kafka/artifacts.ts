import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The version that is started where none is asked for: the newest. */
export const defaultVersion = '4.4.0';
/** That of Kafka's command line tools, which lag behind. */
export const toolsVersion = '4.1.2';

/** What is fetched: a broker, or Kafka's command line tools. */
export type Artifact = 'kafka_2.13' | 'kafka-tools';

/** The folder with the jars of a Kafka broker; Maven fetches them at the first call, later ones find them there. */
export async function kafkaJars(
  version: string,
  report: (what: string) => void,
  signal: AbortSignal,
  artifact: Artifact = 'kafka_2.13',
): Promise<string> {
  const jars = jarsFolder(version, artifact);
  if (existsSync(jars)) return jars;
  report(`fetching Kafka ${version} with Maven, once, about 45 MB`);
  // Others may fetch at the same time: each into a folder of its own, and the first to be complete gives it its name.
  const fetching = `${jars}.${randomUUID()}`;
  await mkdir(fetching, { recursive: true });
  try {
    await writeFile(join(fetching, 'pom.xml'), pom(artifact, version));
    await runMaven(fetching, version, report, signal);
    await rename(join(fetching, 'jars'), jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error;
    });
  } finally {
    await rm(fetching, { recursive: true, force: true });
  }
  return jars;
}

/** Where the jars are, or will be. */
export function jarsFolder(version: string, artifact: Artifact = 'kafka_2.13'): string {
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`"${version}" is no version of Kafka, such as ${defaultVersion}`);
  }
  const { CRYPTORUN_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = CRYPTORUN_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cryptorun-streams');
  return join(cache, `${artifact === 'kafka_2.13' ? 'kafka' : artifact}-${version}`);
}

async function runMaven(
  folder: string,
  version: string,
  report: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=jars'];
  const maven = spawn('mvn', ['--batch-mode', ...goal], { cwd: folder, signal });
  const ended = new Promise<number | null>((resolve, reject) =>
    maven.once('error', reject).once('close', resolve),
  );
  maven.stdin.end();
  let said = '';
  let error: string | undefined;
  let fetched = 0;
  maven.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  createInterface(maven.stdout).on('line', line => {
    if (line.startsWith('[ERROR]')) error ??= line;
    if (/Downloaded from .*\.jar/.test(line) && ++fetched % 10 === 0) report(`fetched ${fetched} files`);
  });
  if ((await ended) === 0) return;
  throw new Error(`Maven could not fetch Kafka ${version}: ${error ?? said.trim()}`);
}

/** Without a binding for slf4j the broker logs nothing. */
function pom(artifact: Artifact, version: string): string {
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>cryptorun</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.3</version>
    </dependency>
  </dependencies>
</project>
`;
}
