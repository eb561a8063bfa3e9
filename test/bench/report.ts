import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Goal } from './benchmark.ts';
import type { Medians, Result } from './rounds.ts';

/** On what it was measured. */
export function machine(now: Date): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${model}, ${availableParallelism()} cores, ${memory} GB, Node ${process.version}, ${now.toISOString().slice(0, 10)}`;
}

const header = ['', 'messages/s', 'a cpu s', 'p50 ms', 'p99 ms', 'rss MB', 'ratio', 'by cpu'];
const widths = [44, 13, 13, 8, 8, 7, 6, 6];

const line = (cells: readonly string[]): string =>
  cells
    .map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0)))
    .join(' ');

export const headerLine: string = line(header);

/** A result as lines of the table: the subject, its twin, what was asked of it. */
export function linesOf(result: Result): readonly string[] {
  const { name, subject, twin, others, skipped, goal } = result;
  if (subject === undefined) return [`${name.padEnd(widths[0] ?? 0)} skipped: ${skipped ?? 'no reason'}`];
  const lines = [line([name, ...numbersOf(subject), ...ratiosOf(subject, twin)])];
  if (twin) lines.push(line([`  beside ${twin.name}`, ...numbersOf(twin)]));
  for (const other of others)
    lines.push(line([`  beside ${other.name}`, ...numbersOf(other), ...ratiosOf(subject, other)]));
  if (subject.note !== undefined) lines.push(`  ${subject.note}`);
  if (goal) lines.push(`  goal: ${verdict(goal, subject, twin)}`);
  return lines;
}

/** By the clock, and by processor time: the latter holds where others use the machine too. */
function ratiosOf(subject: Medians, twin: Medians | undefined): string[] {
  if (twin === undefined) return [];
  const ratio = (ours: number, theirs: number): string =>
    (ours / theirs).toFixed(ours / theirs < 0.1 ? 3 : 2);
  const clock = ratio(subject.perSecond, twin.perSecond);
  const { perCpuSecond } = twin;
  return perCpuSecond === undefined || subject.perCpuSecond === undefined
    ? [clock]
    : [clock, ratio(subject.perCpuSecond, perCpuSecond)];
}

function numbersOf({ perSecond, perCpuSecond, p50, p99, rssMb }: Medians): string[] {
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  const fine = (value: number | undefined): string => value?.toFixed(3) ?? '';
  // Whose processor time is not known, that one's memory is not known either.
  const [cpu, memory] = perCpuSecond === undefined ? ['', ''] : [whole(perCpuSecond), rssMb.toFixed(0)];
  return [whole(perSecond), cpu, fine(p50), fine(p99), memory];
}

function verdict(goal: Goal, subject: Medians, twin: Medians | undefined): string {
  const { perSecond, p99, rssMb, seconds } = subject;
  const parts: string[] = [];
  const say = (what: string, met: boolean): void => void parts.push(`${what} ${met ? 'met' : 'MISSED'}`);
  if (goal.perSecond !== undefined) {
    say(`${goal.perSecond.toLocaleString('en')}+ a second`, perSecond >= goal.perSecond);
  }
  if (goal.ofTwin !== undefined && twin !== undefined) {
    const ratio = perSecond / twin.perSecond;
    say(`at least ${goal.ofTwin} of its twin (${ratio.toFixed(2)})`, ratio >= goal.ofTwin);
  }
  if (goal.seconds !== undefined) say(`below ${goal.seconds} s`, seconds < goal.seconds);
  if (goal.p99 !== undefined) say(`p99 below ${goal.p99} ms`, p99 !== undefined && p99 < goal.p99);
  if (goal.rss !== undefined) say(`rss below ${goal.rss} MB`, rssMb < goal.rss);
  return parts.join(', ');
}
