import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Measured, Skipped } from './benchmark.ts';
import type { Group } from './groups.ts';

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** The flags with which the package's own launchers start Node. */
const nodeFlags: readonly string[] = ['--max-semi-space-size=16'];

/** A process that takes longer hangs: its benchmark could not be run. */
const longestRunMs = 300_000;

/** What one process found, and the most memory that it held, MB. */
type Run = (Measured & { readonly rssMb: number }) | (Skipped & { readonly rssMb: number });

/** The medians over all rounds of one side. */
export interface Medians {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** Above Node's own. */
  readonly rssMb: number;
  readonly note: string | undefined;
}

export interface Result {
  readonly group: Group;
  readonly name: string;
  readonly goal: Benchmark['goal'];
  readonly subject?: Medians;
  readonly twin?: Medians & { readonly name: string };
  readonly skipped?: string;
}

/** Subject and twin take turns, so that what else the machine does falls on both. */
export async function measure(
  group: Group,
  benchmark: Benchmark,
  {
    rounds,
    smoke,
    ownRssMb,
  }: { readonly rounds: number; readonly smoke: boolean; readonly ownRssMb: number },
): Promise<Result> {
  const { name, goal, twin } = benchmark;
  const effort = smoke ? ['smoke'] : [];
  const runs: Run[] = [];
  const twinRuns: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    const run = await runChild([group, name, 'subject', ...effort]);
    if ('skipped' in run) return { group, name, goal, skipped: run.skipped };
    runs.push(run);
    if (twin) twinRuns.push(await runChild([group, name, 'twin', ...effort]));
  }
  const subject = mediansOf(runs, ownRssMb);
  const result = { group, name, goal, subject };
  return twin ? { ...result, twin: { name: twin.name, ...mediansOf(twinRuns, ownRssMb) } } : result;
}

/** What Node takes with nothing to do, MB. */
export async function ownMemory(rounds: number): Promise<number> {
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) runs.push(await runChild([]));
  return median(runs.map(({ rssMb }) => rssMb));
}

function mediansOf(runs: readonly Run[], ownRssMb: number): Medians {
  const measured = runs.flatMap(run => ('skipped' in run ? [] : [run]));
  const latencies = measured.flatMap(({ latency }) => (latency ? [latency] : []));
  return {
    perSecond: median(measured.map(({ messages, seconds }) => messages / seconds)),
    perCpuSecond: median(measured.map(({ messages, cpuSeconds }) => messages / cpuSeconds)),
    p50: latencies.length === 0 ? undefined : median(latencies.map(({ p50 }) => p50)),
    p99: latencies.length === 0 ? undefined : median(latencies.map(({ p99 }) => p99)),
    rssMb: median(measured.map(({ rssMb }) => rssMb)) - ownRssMb,
    note: measured.at(-1)?.note,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1];
  return ((sorted[low] ?? Number.NaN) + (sorted[high] ?? Number.NaN)) / 2;
}

function runChild(args: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [...nodeFlags, child, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: longestRunMs,
    });
    let printed = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    running.on('error', reject);
    running.on('close', (code, signal) => {
      const line = printed.trim().split('\n').at(-1) ?? '';
      if (code !== 0 || line === '')
        reject(new Error(`${args.join(' ')}: ended with ${signal ?? `code ${code}`}`));
      else resolve(JSON.parse(line) as Run);
    });
  });
}
