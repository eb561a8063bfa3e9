import { parseArgs } from 'node:util';
import { type KafkaCluster, startKafka } from '../brokers/kafka/kafka-cluster.ts';
import { runKilledWorkers } from './killed-workers.ts';
import { noRecordedDays } from './recorded-days.ts';

const usage = `Usage: npm run chaos -- [--seeds N] [--first SEED] [--days N] [--kills N] [--workers N] [--brokers N]

Kills worker processes on a real Kafka at random moments, and compares what they write with a run without kills.`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    first: { type: 'string', default: '1' },
    days: { type: 'string', default: '7' },
    kills: { type: 'string', default: '8' },
    workers: { type: 'string', default: '3' },
    brokers: { type: 'string', default: '3' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) console.log(usage);
else if (noRecordedDays === undefined) await run();
else {
  console.error(noRecordedDays);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const [first, seeds] = [Number(values.first), Number(values.seeds)];
  for (let seed = first; seed < first + seeds; seed++) {
    const kafka = await startKafka({ brokers: Number(values.brokers) });
    const end = (): void => void kafka.stop().then(() => process.exit(130));
    process.once('SIGINT', end);
    try {
      if (!(await passes(seed, kafka))) process.exitCode = 1;
    } finally {
      process.off('SIGINT', end);
      await kafka.stop();
    }
  }
}

async function passes(seed: number, kafka: KafkaCluster): Promise<boolean> {
  const began = Date.now();
  const { differences, signals } = await runKilledWorkers({
    brokers: kafka.bootstrap,
    seed,
    workers: Number(values.workers),
    kills: Number(values.kills),
    symbols: ['BTC', 'ETH', 'SOL', 'DOGE', 'LINK', 'BNB'],
    days: Number(values.days),
    sessionTimeoutMs: 10_000,
  });
  const all = Object.values(differences);
  const sum = (what: 'lost' | 'wrong' | 'reordered' | 'duplicates'): number =>
    all.reduce((total, difference) => total + difference[what], 0);
  const seconds = Math.round((Date.now() - began) / 1000);
  const [lost, wrong, reordered, duplicates] = [
    sum('lost'),
    sum('wrong'),
    sum('reordered'),
    sum('duplicates'),
  ];
  console.log(
    `seed ${seed}: lost ${lost}, wrong ${wrong}, reordered ${reordered}, duplicates ${duplicates}, signals ${signals}, ${seconds} s`,
  );
  if (lost + wrong + reordered > 0) console.log(differences);
  return lost + wrong + reordered === 0;
}
