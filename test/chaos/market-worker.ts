import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KafkaDriverName } from '../../src/bus/kafka/kafka-options.ts';
import type { Guarantee } from '../../src/runtime/pipeline.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const pipelines = ['bars', 'liquidity', 'momentum', 'regime', 'gates', 'signals', 'notifications'];

export interface MarketWorkerOptions {
  /** The name of its bundle. */
  readonly name: string;
  readonly brokers: readonly string[];
  readonly driver: KafkaDriverName;
  /** A folder with recordings, as the feed of all of them. */
  readonly feed: string;
  readonly sessionTimeoutMs: number;
  readonly guarantee: Guarantee;
  /** Modules that it loads first. */
  readonly preload: readonly string[];
}

/** Writes the bundle of a worker of the market job; what starts one. */
export function marketWorker(
  folder: string,
  { name, brokers, driver, feed, sessionTimeoutMs, guarantee, preload }: MarketWorkerOptions,
): readonly string[] {
  const bundle = join(folder, `${name}.yaml`);
  writeFileSync(
    bundle,
    [
      'name: chaos',
      'backend:',
      '  kind: kafka',
      `  brokers: [${brokers.map(broker => JSON.stringify(broker)).join(', ')}]`,
      `  driver: ${driver}`,
      `  consuming: { sessionTimeout: ${sessionTimeoutMs}ms }`,
      'pipelines:',
      ...pipelines.map(name => `  - { name: ${name}, guarantee: ${guarantee} }`),
      `feeds: [${JSON.stringify(`file:${feed}`)}]`,
      'http: { host: 127.0.0.1, port: 0 }',
      'snapshotInterval: 2s',
      'drainDeadline: 10s',
      'logLevel: warn',
    ].join('\n'),
  );
  return [...preload.flatMap(module => ['--import', module]), program, 'worker', '--bundle', bundle];
}
