import { describe, expect, it } from 'vitest';
import { knownVenues } from '../../src/feeds/venues/known-venues.ts';
import type { Venue } from '../../src/feeds/venues/venue.ts';
import { type Heard, events, listen, serve, venue } from './listening.ts';
import { send, type Step } from './replay-server.ts';
import { type VenueSession, venueSessions } from './venue-sessions.ts';

const stallMs = 5_000;
const channels = ['trades', 'book'] as const;

/** A session that drops once, stalls once, loses a frame of the book, and says trades again after each. */
function script({ greeting, trade, whole, change, broken, isAsked }: VenueSession): readonly string[][] {
  const book = (n: number): readonly string[] => (whole ? [whole(n)] : []);
  const resumed = [...book(9), change(10), trade(4)];
  return [
    [...greeting, ...book(1), change(2), trade(1), trade(2), trade(2)],
    [...greeting, ...book(3), change(4), trade(2), trade(3)],
    [...greeting, ...book(5), change(6), trade(3), broken(8), ...(isAsked ? [] : resumed)],
    isAsked ? resumed : [],
  ];
}

async function play(
  own: Venue,
  session: VenueSession,
): Promise<{ heard: Heard; asked: readonly string[][] }> {
  const [first = [], second = [], third = [], resumed = []] = script(session);
  const steps = [[...first.map(send), 'drop'], [...second.map(send), 'stall'], third.map(send)] as Step[][];
  const subscribing = own.subscribeFrames({ symbols: ['BTC-USD'], channels });
  const server = await serve(
    connection => steps[connection] ?? [],
    subscribing.length,
    frame => (frame.includes('"subscribe"') ? resumed : []),
  );
  const fetched = [1, 3, 5, 9];
  let stalled = false;
  const heard = await listen(own, server, each => each.kinds['trade'] === 4 && booksOf(each).at(-1) === 10, {
    channels,
    stallMs,
    fetchText: () => Promise.resolve(session.fetched?.(fetched.shift() ?? 0) ?? ''),
    react: (each, timers) => {
      if (stalled || each.kinds['trade'] !== 3 || booksOf(each).at(-1) !== 4) return;
      stalled = true;
      timers.advance(stallMs);
    },
  });
  for (const frames of server.received) expect(frames.slice(0, subscribing.length)).toEqual(subscribing);
  return { heard, asked: server.received.map(frames => frames.slice(subscribing.length)) };
}

/** The sizes of the best bids, which are the numbers of the changes. */
function booksOf({ items }: Heard): readonly (number | undefined)[] {
  return items.flatMap(item => (item.kind === 'book' ? [item.value.bids[0]?.[1]] : []));
}

function tradesOf({ items }: Heard): readonly number[] {
  return items.flatMap(item => (item.kind === 'trade' ? [item.value.price] : []));
}

describe('over a socket that drops, stalls, repeats and loses', () => {
  it('every venue is heard', () => {
    expect(Object.keys(venueSessions)).toEqual(knownVenues.map(({ name }) => name).toSorted());
  });

  it.each(Object.entries(venueSessions))(
    '%s says each trade once and only whole books',
    async (name, session) => {
      const { heard, asked } = await play(venue(name), session);
      expect(tradesOf(heard)).toEqual([1, 2, 3, 4]);
      expect(booksOf(heard)).toEqual([1, 2, 3, 4, 5, 6, 9, 10]);
      expect(heard.kinds['malformed']).toBeUndefined();
      expect(events(heard).filter(kind => kind !== 'answer')).toEqual([
        'connected',
        'reconnecting',
        'connected',
        'reconnecting',
        'connected',
        'resync',
      ]);
      expect(heard.events.filter(({ kind }) => kind === 'reconnecting')).toMatchObject([
        { reason: 'closed with code 1011' },
        { reason: `no frame for ${stallMs} ms` },
      ]);
      const resync = heard.events.find(event => event.kind === 'resync');
      expect(resync).toMatchObject({
        symbol: 'BTC-USD',
        reason: expect.stringMatching(session.loss) as string,
      });
      expect(asked.map(frames => frames.length)).toEqual([0, 0, session.isAsked ? 2 : 0]);
    },
  );
});
