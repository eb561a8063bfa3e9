import type { Feed } from '../feeds/feed.ts';
import { fileFeed } from '../feeds/file-feed.ts';
import { simulatorFeed } from '../feeds/simulator.ts';
import { type Options, numberOption, textOption, textOptions } from './command.ts';
import { CliError } from './cli-error.ts';

/** The simulator as the command line asks for it. */
export function simulatorOf(options: Options): Feed {
  const seed = numberOption(options, 'seed', 0, 2 ** 32 - 1);
  const days = numberOption(options, 'days', 0.01, 3_650);
  const symbols = numberOption(options, 'symbols', 1, 1_000);
  const start = instantOption(options, 'from');
  return simulatorFeed({
    live: options['once'] !== true,
    ...(seed !== undefined && { seed }),
    ...(days !== undefined && { days }),
    ...(symbols !== undefined && { symbols }),
    ...(start !== undefined && { start }),
  });
}

function instantOption(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw new CliError(2, `--${name} is "${text}", must be a time such as 2026-01-05T00:00:00Z`);
}

/** The feed that was asked for; without `--feed` the simulator. */
export function feedOf(options: Options): Promise<Feed> {
  const specs = textOptions(options, 'feed');
  return specs.length === 0 ? Promise.resolve(simulatorOf(options)) : feedFromSpecs(specs);
}

/**
 * The feed that specs describe: `simulator`, several `file:PATH`, or one other.
 *
 * @throws FeedError where a spec means nothing, or a feed cannot be opened
 */
export function feedFromSpecs(specs: readonly string[]): Promise<Feed> {
  const [first = 'simulator'] = specs;
  if (specs.length === 1 && first === 'simulator') return Promise.resolve(simulatorFeed({ live: true }));
  const paths = specs.flatMap(spec => (spec.startsWith('file:') ? [spec.slice('file:'.length)] : []));
  if (paths.length === specs.length) return Promise.resolve(fileFeed(paths));
  if (specs.length > 1) {
    throw new CliError(2, `--feed ${specs.join(' --feed ')}: only file: may be named more than once`);
  }
  throw new CliError(2, `--feed ${first}: name file:PATH, ws:VENUE or ccxt:VENUE`);
}
