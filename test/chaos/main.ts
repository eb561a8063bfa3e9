import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import { startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { runKilledCounting } from './counting-run.ts';
import { runDisturbed } from './disturbed-run.ts';
import { type ChaosKind, chaosKinds, plannedEvents } from './events.ts';
import type { Difference } from './outcome.ts';
import { noRecordedDays, recordedSymbols } from './recorded-days.ts';

const usage = `Usage: npm run chaos -- [options]

Runs the market job in worker processes on a real Kafka, kills, freezes, slows, cuts off, adds and removes workers and
brokers at random moments, and compares what is written with a run of one process that nothing happens to.

  --seeds N        so many runs, each with another plan (3)
  --first SEED     the seed of the first (1)
  --only KINDS     events of these kinds only, with commas between: ${chaosKinds.slice(0, 4).join(',')},
                   ${chaosKinds.slice(4).join(',')}
  --events N       so many events a run (8)
  --days N         recorded days (7)
  --all            all recorded days of all recorded symbols: about a million bars
  --workers N      (3)
  --brokers N      (3)
  --driver NAME    kafkajs or platformatic (kafkajs)
  --exactly-once   all pipelines are exactly-once, and what comes twice is a failure too
  --counting       the job counts numbers by key, exactly once, and workers are killed
  --planted-bug    workers commit before they publish: the run has to fail
  --quiet          do not tell of each event`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    first: { type: 'string', default: '1' },
    only: { type: 'string' },
    events: { type: 'string', default: '8' },
    days: { type: 'string', default: '7' },
    all: { type: 'boolean', default: false },
    workers: { type: 'string', default: '3' },
    brokers: { type: 'string', default: '3' },
    driver: { type: 'string', default: 'kafkajs' },
    'exactly-once': { type: 'boolean', default: false },
    counting: { type: 'boolean', default: false },
    'planted-bug': { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** What is counted in each run. */
const counted = ['lost', 'wrong', 'reordered', 'duplicates', 'backwards', 'vanished'] as const;

if (values.help) console.log(usage);
else if (values.counting || noRecordedDays === undefined) await run();
else {
  console.error(noRecordedDays);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const [first, seeds] = [Number(values.first), Number(values.seeds)];
  const totals = { runs: 0, lost: 0, wrong: 0, reordered: 0, duplicates: 0, backwards: 0, vanished: 0 };
  for (let seed = first; seed < first + seeds; seed++) {
    const found = await (values.counting ? countedIn(seed) : foundIn(seed));
    totals.runs++;
    for (const what of counted) {
      totals[what] += found[what];
    }
    const twice = values.counting || values['exactly-once'] ? found.duplicates : 0;
    if (badIn(found) + twice > 0) process.exitCode = 1;
  }
  console.log(`${totals.runs} runs: ${inWords(totals)}`);
}

type Found = Readonly<Record<(typeof counted)[number], number>>;

function inWords({ lost, wrong, reordered, backwards, vanished, duplicates }: Found): string {
  return `lost ${lost}, wrong ${wrong}, reordered ${reordered}, offsets backwards ${backwards}, seen and gone ${vanished}, duplicates ${duplicates}`;
}

/** What may be in no run, whatever its pipelines promise. */
function badIn({ lost, wrong, reordered, backwards, vanished }: Found): number {
  return lost + wrong + reordered + backwards + vanished;
}

async function foundIn(seed: number): Promise<Found> {
  const began = Date.now();
  const seconds = (): number => Math.round((Date.now() - began) / 1000);
  const sizes = { workers: Number(values.workers), brokers: Number(values.brokers) };
  const brokerFolder = mkdtempSync(join(tmpdir(), `chaos-brokers-${seed}-`));
  const report = await runDisturbed({
    ...sizes,
    brokerFolder,
    events: plannedEvents(seed, Number(values.events), { ...sizes, kinds: kinds() }),
    driver: driver(),
    symbols: values.all ? recordedSymbols() : ['BTC', 'ETH', 'SOL', 'DOGE', 'LINK', 'BNB'],
    days: values.all ? Infinity : Number(values.days),
    sessionTimeoutMs: 10_000,
    guarantee: values['exactly-once'] ? 'exactly-once' : 'at-least-once',
    plantedBug: values['planted-bug'],
    ...(!values.quiet && { report: what => console.log(`  ${String(seconds()).padStart(4)} s  ${what}`) }),
  });
  const sum = (what: keyof Difference): number =>
    Object.values(report.differences).reduce((total, difference) => total + difference[what], 0);
  const found = {
    lost: sum('lost'),
    wrong: sum('wrong'),
    reordered: sum('reordered'),
    duplicates: sum('duplicates'),
    backwards: report.backwards.length,
    vanished: report.vanished,
  };
  console.log(
    `seed ${seed}: ${inWords(found)}, signals ${report.signals}, exit codes ${report.exitCodes.join(' ')}, ended by themselves ${report.restarts}, ${seconds()} s`,
  );
  const isWrongTwice = values['exactly-once'] && found.duplicates > 0;
  if (isWrongTwice) console.log(report.repeated.map(line => `  twice: ${line}`).join('\n'));
  if (found.lost + found.wrong + found.reordered > 0 || isWrongTwice) {
    console.log(report.differences);
    console.log(report.said);
  }
  for (const line of report.backwards) console.log(`  backwards: ${line}`);
  // What the brokers hold tells more than anybody can print: who wrote what in which transaction, and how each ended.
  if (badIn(found) > 0 || isWrongTwice) console.log(`  the brokers' data is kept in ${brokerFolder}`);
  else rmSync(brokerFolder, { recursive: true, force: true });
  return found;
}

function driver(): KafkaDriverName {
  const { driver } = values;
  if (driver === 'kafkajs' || driver === 'platformatic') return driver;
  throw new RangeError(`--driver ${driver}: it is kafkajs or platformatic`);
}

function kinds(): readonly ChaosKind[] {
  if (values.only === undefined) return chaosKinds;
  const asked = values.only.split(',');
  const known = chaosKinds.filter(kind => asked.includes(kind));
  if (known.length === asked.length) return known;
  throw new RangeError(`--only ${values.only}: the kinds are ${chaosKinds.join(', ')}`);
}

async function countedIn(seed: number): Promise<Found> {
  const kafka = await startKafka({ brokers: Number(values.brokers) });
  try {
    const { said, lost, duplicated, reordered, miscounted, backwards, ...rest } = await runKilledCounting({
      driver: driver(),
      brokers: kafka.bootstrap,
      name: `chaos-${seed}`,
      seed,
      workers: Number(values.workers),
      kills: Number(values.events),
      freezes: 2,
      perSecond: 1_000,
    });
    const found = {
      lost,
      wrong: miscounted,
      reordered,
      duplicates: duplicated,
      backwards: backwards.length,
      // Nobody reads while it is under way.
      vanished: 0,
    };
    console.log(`seed ${seed}:`, found, rest);
    if (badIn(found) + duplicated > 0) console.log(said);
    return found;
  } finally {
    await kafka.stop();
  }
}
