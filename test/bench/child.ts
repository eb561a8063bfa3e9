import type { Benchmark, Measured, Skipped, Work } from './benchmark.ts';
import { groups, isGroup } from './groups.ts';

/*
 * One side of one benchmark, in a process of its own; prints what it found as a line of JSON.
 * node test/bench/child.ts GROUP NAME subject|twin|0|1... [smoke], the number of one of the others, or without arguments: what Node itself takes.
 */
const [group = '', name = '', side = 'subject', effort] = process.argv.slice(2);

async function measure(): Promise<Measured | Skipped> {
  if (group === '') return { messages: 0, seconds: 0, cpuSeconds: 0 };
  if (!isGroup(group)) throw new RangeError(`no group ${group}`);
  const benchmark = (await groups[group]()).find(each => each.name === name);
  const work = benchmark && workOf(benchmark, side);
  if (work === undefined) throw new RangeError(`no ${side} of ${name} in ${group}`);
  return work({ smoke: effort === 'smoke' });
}

function workOf({ subject, twin, others }: Benchmark, side: string): Work | undefined {
  if (side === 'subject') return subject;
  return side === 'twin' ? twin?.work : others?.[Number(side)]?.work;
}

const found = await measure();
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ ...found, rssMb: maxRSS / 1024 }));
