import { type Feed, FeedError } from '../feeds/feed.ts';
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

/** The feed that specs describe. */
export function feedFromSpecs(specs: readonly string[]): Promise<Feed> {
  const [first] = specs;
  return Promise.reject(new FeedError(first ?? 'none', `feed ${specs.join(', ')}: not known yet`));
}
