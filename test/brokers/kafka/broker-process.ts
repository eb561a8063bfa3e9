import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runJava, type JavaProcess } from './java-process.ts';
import { asPropertiesFile, type Properties } from './server-properties.ts';

export interface KafkaBroker {
  /** Where clients connect, as host:port. */
  readonly address: string;
  /** Of the process that runs or ran last. */
  readonly pid: number;
  readonly logFile: string;
  /** Ends it as an operator would: it hands over its partitions first. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Runs it again on its data; resolves when it serves clients. */
  start(): Promise<void>;
}

export interface BrokerSettings {
  readonly address: string;
  /** Holds its configuration, data and log. */
  readonly folder: string;
  readonly jars: string;
  readonly heap: readonly string[];
  readonly properties: Properties;
}

const startTimeoutMs = 90_000;
const stopTimeoutMs = 30_000;

/** Writes the configuration of a broker, and formats its storage where that is new. */
export async function prepareBroker(settings: BrokerSettings, clusterId: string): Promise<void> {
  const { folder, jars } = settings;
  await writeFile(join(folder, 'server.properties'), asPropertiesFile(settings.properties));
  await writeFile(join(folder, 'log4j2.properties'), logging);
  if (existsSync(join(folder, 'data', 'meta.properties'))) return;
  const logFile = join(folder, 'format.log');
  const tool = [
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    join(folder, 'server.properties'),
  ];
  const java = await runJava(
    ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), ...tool],
    logFile,
  );
  const end = await java.ended;
  if (end !== 'exit code 0') throw new Error(await withLog(`formatting storage ended with ${end}`, logFile));
}

/** A broker that {@link prepareBroker} prepared, running once this resolves. */
export async function runBroker(settings: BrokerSettings): Promise<KafkaBroker> {
  const { address, folder, jars, heap } = settings;
  const logFile = join(folder, 'broker.log');
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`;
  const command = [
    ...heap,
    logging,
    '-cp',
    join(jars, '*'),
    'kafka.Kafka',
    join(folder, 'server.properties'),
  ];
  let java: JavaProcess | undefined;

  async function start(): Promise<void> {
    if (java !== undefined) throw new Error(`the broker at ${address} runs already`);
    await writeFile(logFile, '');
    const begun = await runJava(command, logFile);
    java = begun;
    pid = begun.pid;
    void begun.ended.then(() => {
      if (java === begun) java = undefined;
    });
    await untilReady(begun, address, logFile);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (java === undefined) return;
    const ending = java;
    ending.signal(signal);
    const late = setTimeout(() => ending.signal('SIGKILL'), stopTimeoutMs);
    await ending.ended;
    clearTimeout(late);
  }

  let pid = 0;
  await start();
  return {
    address,
    logFile,
    get pid() {
      return pid;
    },
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function untilReady(java: JavaProcess, address: string, logFile: string): Promise<void> {
  let end: string | undefined;
  void java.ended.then(how => (end = how));
  const deadline = performance.now() + startTimeoutMs;
  while (!(await readFile(logFile, 'utf8')).includes('Kafka Server started')) {
    if (end !== undefined)
      throw new Error(await withLog(`the broker at ${address} ended with ${end}`, logFile));
    if (performance.now() > deadline) {
      java.signal('SIGKILL');
      throw new Error(
        await withLog(`the broker at ${address} was not ready in ${startTimeoutMs / 1000} s`, logFile),
      );
    }
    await wait(50);
  }
}

async function withLog(what: string, logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return `${what}; its log ends with\n${lines.slice(-20).join('\n')}`;
}

const logging = `rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c)%n%throwable
`;
