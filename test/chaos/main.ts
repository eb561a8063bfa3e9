import { parseArgs } from 'node:util';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import type { Guarantee } from '../../src/runtime/pipeline.ts';
import { defaultVersion } from '../brokers/kafka/artifacts.ts';
import { startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { compileCache } from '../compile-cache.ts';
import { runKilledCounting } from './counting-run.ts';
import { type ChaosKind, chaosKinds } from './events.ts';
import { type Found, counted, inWords, isBad } from './found.ts';
import { MarketRuns } from './market-runs.ts';
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
  --partitions N   of each topic at most (4); shipped topics have up to 24
  --brokers N      (3)
  --kafka VERSION  (${defaultVersion})
  --driver NAME    kafkajs or platformatic (one and the other in turn)
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
    partitions: { type: 'string', default: '4' },
    workers: { type: 'string', default: '3' },
    brokers: { type: 'string', default: '3' },
    kafka: { type: 'string', default: defaultVersion },
    driver: { type: 'string' },
    'exactly-once': { type: 'boolean', default: false },
    counting: { type: 'boolean', default: false },
    'planted-bug': { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const guarantee: Guarantee = values.counting || values['exactly-once'] ? 'exactly-once' : 'at-least-once';

// Workers are started again and again.
process.env['NODE_COMPILE_CACHE'] ??= compileCache;

if (values.help) console.log(usage);
else if (values.counting || noRecordedDays === undefined) await run();
else {
  console.error(noRecordedDays);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const [first, seeds] = [Number(values.first), Number(values.seeds)];
  const totals = { runs: 0, lost: 0, wrong: 0, reordered: 0, duplicates: 0, backwards: 0, vanished: 0 };
  const market = new MarketRuns({
    workers: Number(values.workers),
    brokers: Number(values.brokers),
    version: values.kafka,
    symbols: values.all ? recordedSymbols() : ['BTC', 'ETH', 'SOL', 'DOGE', 'LINK', 'BNB'],
    days: values.all ? Infinity : Number(values.days),
    partitions: Number(values.partitions),
    events: Number(values.events),
    kinds: kinds(),
    guarantee,
    plantedBug: values['planted-bug'],
    quiet: values.quiet,
  });
  try {
    for (let seed = first; seed < first + seeds; seed++) {
      const found = await (values.counting ? countedIn(seed) : market.foundIn(seed, driverOf(seed)));
      totals.runs++;
      for (const what of counted) totals[what] += found[what];
      if (isBad(found, guarantee)) process.exitCode = 1;
    }
  } finally {
    await market.close();
  }
  console.log(`${totals.runs} runs: ${inWords(totals)}`);
}

function driverOf(seed: number): KafkaDriverName {
  const { driver = seed % 2 === 0 ? 'kafkajs' : 'platformatic' } = values;
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
  const kafka = await startKafka({ brokers: Number(values.brokers), version: values.kafka });
  try {
    const { said, lost, duplicated, reordered, miscounted, backwards, ...rest } = await runKilledCounting({
      driver: driverOf(seed),
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
    if (isBad(found, guarantee)) console.log(said);
    return found;
  } finally {
    await kafka.stop();
  }
}
