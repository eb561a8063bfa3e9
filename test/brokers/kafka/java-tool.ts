import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { kafkaJars, toolsVersion } from './artifacts.ts';

export interface ToolOptions {
  /** What it reads; default nothing. */
  readonly input?: string;
  /** How Java is started; by default to be ready soon, not to be fast. */
  readonly jvm?: readonly string[];
}

/** Runs one of Kafka's own command line tools, such as `org.apache.kafka.tools.ConsoleConsumer`; what it prints. */
export async function runKafkaTool(
  main: string,
  args: readonly string[],
  { input = '', jvm = ['-Xmx128m', '-XX:TieredStopAtLevel=1'] }: ToolOptions = {},
): Promise<string> {
  const jars = await kafkaJars(toolsVersion, () => undefined, new AbortController().signal, 'kafka-tools');
  const java = spawn('java', [...jvm, '-cp', join(jars, '*'), main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  java.stdin.end(input);
  const [printed, said, [code]] = await Promise.all([
    text(java.stdout),
    text(java.stderr),
    once(java, 'exit') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`${main} ended with ${String(code)}: ${said || printed}`);
  return printed;
}
