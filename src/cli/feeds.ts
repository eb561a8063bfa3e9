import type { Feed } from '../feeds/feed.ts';
import type { FeedNotice } from '../feeds/feed-notice.ts';
import { openFeed, parseFeedSpec } from '../feeds/feed-spec.ts';
import { simulatorFeed } from '../feeds/simulator.ts';
import { type Options, numberOption, textOption, textOptions } from './command.ts';
import { CliError } from './cli-error.ts';
import type { Logger } from '../worker/logger.ts';

/** The simulator as the command line asks for it. */
function simulatorOf(options: Options): Feed {
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

/** The feed that was asked for; without `--feed` the simulator. What it has to say of its connection is logged. */
export function feedOf(options: Options, logger: Logger): Feed {
  const specs = textOptions(options, 'feed');
  return specs.length === 0 ? simulatorOf(options) : feedFromSpecs(specs, logger);
}

/**
 * The feed that specs describe: `simulator`, one or several `file:PATH`, or one other.
 *
 * @throws FeedError where a spec means nothing, or a feed cannot be opened
 */
export function feedFromSpecs(specs: readonly string[], logger: Logger): Feed {
  const [first = 'simulator'] = specs;
  const notice = ({ level, text }: FeedNotice): void => logger[level]({ feed: first }, text);
  if (specs.length === 1)
    return first === 'simulator' ? simulatorFeed({ live: true }) : openFeed(first, { notice });
  if (specs.includes('simulator'))
    throw new CliError(
      2,
      `feeds ${specs.join(', ')}: the simulator goes with no other feed, take one of the two`,
    );
  const parsed = specs.map(parseFeedSpec);
  const [one] = parsed;
  const sameSettings = parsed.every(
    ({ settings }) => String([...settings]) === String([...(one?.settings ?? [])]),
  );
  if (!parsed.every(({ kind }) => kind === 'file') || one === undefined || !sameSettings) {
    throw new CliError(
      2,
      `--feed ${specs.join(' --feed ')}: only file: may be repeated, with equal settings`,
    );
  }
  return openFeed({ ...one, text: specs.join(' '), target: parsed.map(({ target }) => target).join(',') });
}
