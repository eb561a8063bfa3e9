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
  readonly perCpuSecond: number | undefined;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** Above Node's own. */
  readonly rssMb: number;
  /** What one run took, s. */
  readonly seconds: number;
  readonly note: string | undefined;
}

type Named = Medians & { readonly name: string };

export interface Result {
  readonly group: Group;
  readonly name: string;
  readonly goal: Benchmark['goal'];
  readonly subject?: Medians;
  readonly twin?: Named;
  readonly others: readonly Named[];
  readonly skipped?: string;
}

/** Subject, twin and others take turns, so that what else the machine does falls on both. */
export async function measure(
  group: Group,
  benchmark: Benchmark,
  {
    rounds,
    smoke,
    ownRssMb,
  }: { readonly rounds: number; readonly smoke: boolean; readonly ownRssMb: number },
): Promise<Result> {
  const { name, goal, twin, others = [] } = benchmark;
  const effort = smoke ? ['smoke'] : [];
  const sides = ['subject', ...(twin ? ['twin'] : []), ...others.keys()].map(String);
  const runs = new Map<string, Run[]>(sides.map(side => [side, []]));
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      const run = await runChild([group, name, side, ...effort]);
      if ('skipped' in run) return { group, name, goal, others: [], skipped: run.skipped };
      runs.get(side)?.push(run);
    }
  }
  const medians = (side: string): Medians => mediansOf(runs.get(side) ?? [], ownRssMb);
  return {
    ...{ group, name, goal },
    subject: medians('subject'),
    ...(twin && { twin: { name: twin.name, ...medians('twin') } }),
    others: others.map((other, at) => ({ name: other.name, ...medians(String(at)) })),
  };
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
  const byCpu = measured.flatMap(({ messages, cpuSeconds }) =>
    cpuSeconds === undefined ? [] : [messages / cpuSeconds],
  );
  return {
    perSecond: median(measured.map(({ messages, seconds }) => messages / seconds)),
    perCpuSecond: byCpu.length === 0 ? undefined : median(byCpu),
    p50: latencies.length === 0 ? undefined : median(latencies.map(({ p50 }) => p50)),
    p99: latencies.length === 0 ? undefined : median(latencies.map(({ p99 }) => p99)),
    rssMb: median(measured.map(({ rssMb }) => rssMb)) - ownRssMb,
    seconds: median(measured.map(({ seconds }) => seconds)),
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
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestRunMs,
    });
    let [printed, said] = ['', ''];
    running.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    running.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      process.stderr.write(text);
    });
    running.on('error', reject);
    running.on('close', (code, signal) => {
      const line = printed.trim().split('\n').at(-1) ?? '';
      if (code !== 0 || line === '')
        reject(new Error(`${args.join(' ')}: ended with ${signal ?? `code ${code}`}\n${said.trim()}`));
      else resolve(JSON.parse(line) as Run);
    });
  });
}
