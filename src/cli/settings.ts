import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as t from 'io-ts';
import {
  GateSettings,
  LiquiditySettings,
  type MarketSettings,
  MomentumSettings,
  RegimeSettings,
  SignalSettings,
} from '../../pipelines/index.ts';
import type { ConfigFile } from '../config/check-configs.ts';
import { type ConfigProblem, formatProblems } from '../config/config-problem.ts';
import { ConfigReader } from '../config/config-reader.ts';
import { loadConfig } from '../config/load-config.ts';
import { loadTopics, topicSettings } from '../config/topics.ts';
import type { TopicSpec } from '../core/topic.ts';
import { CliError } from './cli-error.ts';

/** The files of the domain, beside topics, backends and bundles. */
export const domainFiles: readonly ConfigFile[] = [
  { file: 'liquidity.yaml', codec: LiquiditySettings },
  { file: 'momentum.yaml', codec: MomentumSettings },
  { file: 'regimes.yaml', codec: RegimeSettings },
  { file: 'gates.yaml', codec: GateSettings },
  { file: 'signals.yaml', codec: SignalSettings },
];

/** The `configs` folder that comes with the package; in a clone the one of the working tree. */
export function defaultConfigDir(): string {
  const here = fileURLToPath(import.meta.url);
  const levels = here.includes('/dist/') ? '../../../../configs' : '../../../configs';
  return join(here, levels);
}

export interface Settings {
  readonly topics: readonly TopicSpec[];
  readonly market: MarketSettings;
}

/**
 * Reads the topics and the domain's settings.
 *
 * @throws CliError with every problem of every file
 */
export function loadSettings(dir: string): Settings {
  const reader = new ConfigReader();
  const settings = readSettings(dir, reader);
  if (!settings) throw configError(reader.problems);
  return settings;
}

/** As {@link loadSettings}, beside other files; undefined where something is wrong, which the reader has then. */
export function readSettings(dir: string, reader: ConfigReader): Settings | undefined {
  const readFile = <A>(file: string, codec: t.Type<A, unknown>): A | undefined =>
    reader.take(loadConfig(join(dir, file), codec, process.env));

  const topics = reader.take(loadTopics(join(dir, 'stream/topics.yaml'), process.env));
  const liquidity = readFile('liquidity.yaml', LiquiditySettings);
  const momentum = readFile('momentum.yaml', MomentumSettings);
  const regime = readFile('regimes.yaml', RegimeSettings);
  const gates = readFile('gates.yaml', GateSettings);
  const signals = readFile('signals.yaml', SignalSettings);
  if (!(topics && liquidity && momentum && regime && gates && signals)) return undefined;
  return {
    topics: Object.entries(topics.topics).map(([name, config]) => ({
      name,
      settings: topicSettings(config),
    })),
    market: { liquidity, momentum, regime, gates, signals },
  };
}

/** Problems of the configuration as the end of a command. */
export function configError(problems: readonly ConfigProblem[]): CliError {
  return new CliError(2, formatProblems(problems));
}
