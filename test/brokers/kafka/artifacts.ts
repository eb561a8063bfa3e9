import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version that is started where none is asked for. */
export const defaultVersion = '4.1.2';

/** The folder with the jars of a Kafka broker; Maven fetches them at the first call, later ones find them there. */
export async function kafkaJars(version: string, report: (what: string) => void): Promise<string> {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new Error(`"${version}" is no version of Kafka, such as ${defaultVersion}`);
  const jars = join(cacheFolder(), `kafka-${version}`);
  if (existsSync(jars)) return jars;
  report(`fetching Kafka ${version} with Maven, once, about 45 MB`);
  // Others may fetch at the same time: each into a folder of its own, and the first to be complete gives it its name.
  const fetching = `${jars}.${randomUUID()}`;
  await mkdir(fetching, { recursive: true });
  try {
    await writeFile(join(fetching, 'pom.xml'), pom(version));
    await resolveInto(fetching, version);
    await rename(join(fetching, 'jars'), jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error;
    });
  } finally {
    await rm(fetching, { recursive: true, force: true });
  }
  return jars;
}

function cacheFolder(): string {
  const { CRYPTORUN_CACHE, XDG_CACHE_HOME } = process.env;
  return CRYPTORUN_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cryptorun-streams');
}

async function resolveInto(folder: string, version: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=jars'];
  try {
    await run('mvn', ['--quiet', '--batch-mode', '--no-transfer-progress', ...goal], { cwd: folder });
  } catch (cause) {
    const said = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : String(cause);
    const errors = said.split('\n').filter(line => line.includes('ERROR'));
    throw new Error(`Maven could not fetch Kafka ${version}:\n${errors.slice(0, 3).join('\n')}`, { cause });
  }
}

/** Without a binding for slf4j the broker logs nothing. */
function pom(version: string): string {
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>cryptorun</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
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
