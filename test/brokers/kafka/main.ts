/** `npm run broker:kafka`: a Kafka to try things with, until Ctrl-C. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { defaultVersion } from './artifacts.ts';
import { startKafka, type KafkaOptions } from './kafka-cluster.ts';

const help = `Usage: npm run broker:kafka [-- OPTIONS]

Starts Kafka on 127.0.0.1 until Ctrl-C. Needs a JDK of 17 or newer, and Maven, which fetches it at the first start.

  --brokers N     nodes, each broker and controller in one; 1 by default
  --port PORT     of the first broker, the others have the ports after it; 19192 by default
  --version V     ${defaultVersion} by default
  --dir PATH      keep the data there, and go on with what is there; removed in the end by default
  --help
`;

/** The options on the command line; undefined where it asks for help. */
function readOptions(): KafkaOptions | undefined {
  const { values } = parseArgs({
    options: {
      brokers: { type: 'string', default: '1' },
      port: { type: 'string', default: '19192' },
      version: { type: 'string', default: defaultVersion },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    brokers: wholeNumber('--brokers', values.brokers, 9),
    port: wholeNumber('--port', values.port, 65_000),
    version: values.version,
    ...(values.dir === undefined ? {} : { folder: values.dir }),
  };
}

function wholeNumber(name: string, text: string, highest: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= highest) return number;
  throw new Error(`${name} ${text}: it takes a whole number from 1 to ${highest}`);
}

async function run(options: KafkaOptions, interrupted: AbortSignal): Promise<void> {
  const begun = performance.now();
  const report = (what: string): void => console.log(`${what} ...`);
  const kafka = await startKafka({ ...options, compiledWell: true, report, signal: interrupted });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`Kafka ${options.version ?? ''} is ready after ${seconds} s

  KAFKA_BROKERS=${kafka.bootstrap.join(',')}

logs: ${kafka.brokers.map(({ logFile }) => logFile).join(' ')}
Ctrl-C stops${options.folder === undefined ? ', and removes its data' : `; its data stays in ${options.folder}`}`);
  if (!interrupted.aborted) await once(interrupted, 'abort');
  report('stopping');
  await kafka.stop();
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort());
// npm passes a signal on to its shell alone, which ends without this process. The timer also keeps the process alive.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent) interrupt.abort();
}, 250);
try {
  const options = readOptions();
  if (options === undefined) console.log(help);
  else await run(options, interrupt.signal);
} catch (error) {
  if (!interrupt.signal.aborted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
clearInterval(watch);
