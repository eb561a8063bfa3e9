import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { FeedError } from '../feed.ts';

const Position = t.type({
  /** Seed, start, symbols and days: a position of another market means nothing here. */
  market: t.string,
  /** Minutes of history, then live seconds. */
  step: t.Int,
  /** Items of the step that were said already. */
  said: t.Int,
  /** Prices at the start of the minute that the step belongs to. */
  prices: t.array(t.number),
});

/** Where the simulation stands, with all it needs to go on from there. */
export interface SimulatorPosition {
  readonly market: string;
  readonly step: number;
  readonly said: number;
  readonly prices: readonly number[];
}

const LONGEST = 100_000;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads a recorded position.
 * @throws FeedError where it is no position, or one of another seed, start, symbols or days.
 */
export function readPosition(text: string, market: string, symbols: number): SimulatorPosition {
  const decoded = Position.decode(text.length > LONGEST ? undefined : parsed(text));
  if (E.isLeft(decoded) || !sound(decoded.right)) {
    const seen = JSON.stringify(text.slice(0, 80));
    throw new FeedError(
      'simulator',
      `simulator: ${seen} is no position of this feed; reset the recorded position to start over`,
    );
  }
  const position = decoded.right;
  if (position.market === market && position.prices.length === symbols) return position;
  throw new FeedError(
    'simulator',
    `simulator: the recorded position belongs to ${position.market.slice(0, 80)}, the feed is ` +
      `${market}; restore those options or reset the recorded position`,
  );
}

function sound({ step, said, prices }: SimulatorPosition): boolean {
  return step >= 0 && said >= 0 && prices.every(price => price > 0 && Number.isFinite(price));
}
