import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { javaArguments, propertiesFile, type BrokerSettings } from './broker-storage.ts';
import { javaError, runJava, type JavaProcess } from './java-process.ts';

export interface KafkaBroker {
  /** Where clients connect, as host:port. */
  readonly address: string;
  /** Of the process that runs, or ran last. */
  readonly pid: number;
  /** Begins anew with each start; what was there before is kept beside it. */
  readonly logFile: string;
  /** Ends it as an operator would: it hands over its partitions first. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Runs it again on its data; resolves when it serves clients. */
  start(): Promise<void>;
}

const startTimeoutMs = 90_000;
const stopTimeoutMs = 30_000;

/** A broker whose storage is prepared, running once this resolves; an abort ends it before. */
export async function runBroker(settings: BrokerSettings, signal: AbortSignal): Promise<KafkaBroker> {
  const { address, folder, jvm, temporary } = settings;
  const logFile = join(folder, 'broker.log');
  let java: JavaProcess | undefined;
  let pid = 0;

  async function start(aborted?: AbortSignal): Promise<void> {
    if (java !== undefined) throw new Error(`the broker at ${address} runs already`);
    await rename(logFile, join(folder, `broker-until-${new Date().toISOString()}.log`)).catch(
      () => undefined,
    );
    await writeFile(logFile, '');
    const command = javaArguments(settings, jvm, 'kafka.Kafka', propertiesFile(settings));
    const begun = await runJava(command, { logFile, temporary });
    java = begun;
    pid = begun.pid;
    void begun.ended.then(() => {
      if (java === begun) java = undefined;
    });
    try {
      await untilReady(begun, address, logFile, aborted);
    } catch (error) {
      await end('SIGKILL');
      throw error;
    }
  }

  async function end(by: NodeJS.Signals): Promise<void> {
    if (java === undefined) return;
    const ending = java;
    ending.signal(by);
    const late = setTimeout(() => ending.signal('SIGKILL'), stopTimeoutMs);
    await ending.ended;
    clearTimeout(late);
  }

  await start(signal);
  return {
    address,
    logFile,
    get pid() {
      return pid;
    },
    start: () => start(),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function untilReady(
  java: JavaProcess,
  address: string,
  logFile: string,
  aborted: AbortSignal | undefined,
): Promise<void> {
  let end: string | undefined;
  void java.ended.then(how => (end = how));
  const deadline = performance.now() + startTimeoutMs;
  while (!(await readFile(logFile, 'utf8')).includes('Kafka Server started')) {
    aborted?.throwIfAborted();
    if (end !== undefined) throw await javaError(`the broker at ${address} ended with ${end}`, logFile);
    if (performance.now() > deadline) {
      throw await javaError(`the broker at ${address} was not ready in ${startTimeoutMs / 1000} s`, logFile);
    }
    await wait(50);
  }
}
