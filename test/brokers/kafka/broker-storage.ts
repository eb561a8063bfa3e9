import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { javaError, runJava } from './java-process.ts';
import { asPropertiesFile, type Properties } from './server-properties.ts';

export interface BrokerSettings {
  /** Where clients connect, as host:port. */
  readonly address: string;
  /** Holds its configuration, data and log. */
  readonly folder: string;
  /** See {@link JavaSettings.temporary}. */
  readonly temporary: string | undefined;
  readonly jars: string;
  /** Options of Java that say where an archive of classes is, or shall be. */
  readonly classArchive: readonly string[];
  readonly jvm: readonly string[];
  readonly properties: Properties;
}

export interface Format {
  readonly clusterId: string;
  /** Users with their passwords, in the form of `--add-scram`. */
  readonly scram: readonly string[];
}

/** The arguments of Java for a class of Kafka. */
export function javaArguments(
  settings: BrokerSettings,
  options: readonly string[],
  ...command: string[]
): string[] {
  const logging = `-Dlog4j2.configurationFile=${join(settings.folder, 'log4j2.properties')}`;
  return [...settings.classArchive, ...options, logging, '-cp', join(settings.jars, '*'), ...command];
}

export function propertiesFile({ folder }: BrokerSettings): string {
  return join(folder, 'server.properties');
}

/** Writes the configuration of a broker, and formats its storage where that is new. */
export async function prepareStorage(settings: BrokerSettings, { clusterId, scram }: Format): Promise<void> {
  const { folder, temporary } = settings;
  await mkdir(folder, { recursive: true });
  await writeFile(propertiesFile(settings), asPropertiesFile(settings.properties));
  await writeFile(join(folder, 'log4j2.properties'), log4j2);
  if (existsSync(join(folder, 'data', 'meta.properties'))) return;
  const logFile = join(folder, 'format.log');
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile(settings)];
  const users = scram.flatMap(user => ['--add-scram', user]);
  const options = ['-Xmx128m', '-XX:TieredStopAtLevel=1'];
  const java = await runJava(javaArguments(settings, options, ...tool, ...users), { logFile, temporary });
  const end = await java.ended;
  if (end !== 'exit code 0') throw await javaError(`formatting storage ended with ${end}`, logFile);
}

const log4j2 = `rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c)%n%throwable
`;
