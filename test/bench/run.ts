import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Group, groups, isGroup } from './groups.ts';
import { headerLine, linesOf, machine } from './report.ts';
import { sharedBroker } from './kafka-load.ts';
import { type Result, measure, ownMemory } from './rounds.ts';

const usage = `Usage: npm run bench -- [options]

Measures every benchmark beside its plain twin. Ends with 1 when one cannot be run, never because it is slow.

  --only NAME   a group (${Object.keys(groups).join(', ')}) or a part of a benchmark's name; may be repeated
  --rounds N    the medians of so many (5)
  --smoke       one short round each: shows that they run, not how fast
  --json FILE   writes the medians there as well`;

const values = options();
const { smoke, only, json } = values;
const rounds = smoke ? 1 : values.rounds;
const started = new Date();

const isWanted = (group: Group, name: string): boolean =>
  only.length === 0 || only.some(part => part === group || (!isGroup(part) && name.includes(part)));

console.log(`${machine(started)}; medians of ${rounds} rounds, each in a process of its own`);
const ownRssMb = await ownMemory(rounds);
console.log(`rss: the most a process held, above the ${ownRssMb.toFixed(0)} MB of Node's own\n`);
console.log(headerLine);

const results: Result[] = [];
const failures: string[] = [];
for (const group of Object.keys(groups).filter(isGroup)) {
  const wanted = (await groups[group]()).filter(({ name }) => isWanted(group, name));
  const surroundings = wanted.length > 0 && group === 'kafka' ? await sharedBroker() : undefined;
  for (const benchmark of wanted) {
    try {
      const result = await measure(group, benchmark, { rounds, smoke, ownRssMb });
      results.push(result);
      console.log(linesOf(result).join('\n'));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${benchmark.name}: could not be run: ${reason}`);
      console.log(failures.at(-1));
    }
  }
  await surroundings?.stop();
}
if (results.length === 0 && failures.length === 0)
  failures.push(`nothing was run${only.length > 0 ? `: no benchmark is called ${only.join(' or ')}` : ''}`);
if (failures.length > 0) {
  process.exitCode = 1;
  console.log(`\n${failures.join('\n')}`);
}
if (json !== undefined) {
  const report = {
    machine: machine(started),
    started: started.toISOString(),
    rounds,
    smoke,
    ownRssMb,
    results,
  };
  writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
}

interface Options {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly smoke: boolean;
  readonly json: string | undefined;
}

/** Of the command line; one that cannot be read, or asks for help, ends the program. */
function options(): Options {
  try {
    const { only, rounds, smoke, json, help } = parseArgs({
      options: {
        smoke: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string', default: '5' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
    if (help) {
      console.log(usage);
      process.exit(0);
    }
    if (!/^[1-9]\d{0,2}$/.test(rounds)) throw new RangeError(`--rounds is ${rounds}, must be from 1 to 999`);
    return { only, rounds: Number(rounds), smoke, json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
