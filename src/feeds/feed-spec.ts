import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseDuration } from '../core/durations.ts';
import { ccxtFeed, type CcxtFeedOptions } from './ccxt-feed.ts';
import { FeedError, type Feed } from './feed.ts';
import { type FeedNotice, noticeOf } from './feed-notice.ts';
import { fileFeed, type FileFeedOptions } from './file-feed.ts';
import { knownVenues, venueNamed } from './venues/known-venues.ts';
import { channelNames, type Channel } from './venues/venue.ts';
import { webSocketFeed, type WebSocketFeedOptions } from './websocket-feed.ts';

/** A feed in a word: `file:PATH`, `ws:VENUE` or `ccxt:VENUE`, then settings as in an address. */
export interface FeedSpec {
  readonly text: string;
  readonly kind: 'file' | 'ws' | 'ccxt';
  /** Paths separated by commas, or the venue. */
  readonly target: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** What the composition root has to say to feeds; settings of the spec go first. */
export interface FeedSpecOptions {
  readonly file?: FileFeedOptions;
  readonly ws?: WebSocketFeedOptions;
  readonly ccxt?: CcxtFeedOptions;
  /** Hears of a live feed's connection. */
  readonly notice?: (notice: FeedNotice) => void;
}

const settingNames: Readonly<Record<FeedSpec['kind'], readonly string[]>> = {
  file: ['venue', 'symbol', 'interval', 'depth', 'book-every', 'name'],
  ws: ['symbols', 'channels', 'url', 'depth', 'book-every', 'name'],
  ccxt: ['symbols', 'channels', 'poll', 'name'],
};

const venueNames = (): string => knownVenues.map(venue => venue.name).join(', ');

/**
 * @example
 * parseFeedSpec('ws:kraken?symbols=BTC-USD,ETH-USD&channels=trades,book')
 * @throws FeedError for a kind or a setting that is not known
 */
export function parseFeedSpec(text: string): FeedSpec {
  const match = /^([a-z]+):([^?]+)(?:\?(.*))?$/.exec(text.trim());
  const kind = match?.[1];
  if (kind !== 'file' && kind !== 'ws' && kind !== 'ccxt') {
    const forms = `file:PATH, ws:VENUE?symbols=BTC-USD (${venueNames()}), ccxt:VENUE?symbols=BTC-USD`;
    throw new FeedError(text, `the feed ${text} has none of the forms ${forms}`);
  }
  const settings = new Map(new URLSearchParams(match?.[3] ?? ''));
  const known = settingNames[kind];
  const unknown = [...settings.keys()].find(name => !known.includes(name));
  if (unknown !== undefined) {
    throw new FeedError(text, `${kind}: feeds have no setting ${unknown}; they have ${known.join(', ')}`);
  }
  return { text, kind, target: match?.[2] ?? '', settings };
}

/**
 * The feed that a spec names. Paths may be folders, or end in a name with `*`.
 * @throws FeedError for venues, channels, files or settings that there are not
 */
export function openFeed(spec: FeedSpec | string, options: FeedSpecOptions = {}): Feed {
  const parsed = typeof spec === 'string' ? parseFeedSpec(spec) : spec;
  const { notice } = options;
  switch (parsed.kind) {
    case 'file':
      return fileFeed(pathsOf(parsed), { ...options.file, ...fileSettings(parsed) });
    case 'ws':
      return socketFeed(parsed, {
        ...(notice && { onEvent: event => notice(noticeOf(event)) }),
        ...options.ws,
      });
    case 'ccxt':
      return ccxtFeed(parsed.target, symbolsOf(parsed), {
        ...(notice && { onError: text => notice({ level: 'warn', text }) }),
        ...options.ccxt,
        ...ccxtSettings(parsed),
      });
  }
}

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');

const symbolsOf = ({ settings }: FeedSpec): readonly string[] =>
  listOf(settings.get('symbols')).map(symbol => symbol.toUpperCase().replace('/', '-'));

function pathsOf(spec: FeedSpec): readonly string[] {
  return listOf(spec.target).flatMap(path => {
    if (basename(path).includes('*')) return matching(spec.text, path);
    if (existsSync(path) && statSync(path).isDirectory()) return matching(spec.text, join(path, '*'));
    return [path];
  });
}

/** The files of a folder whose names match, in order of name. */
function matching(feed: string, pattern: string): readonly string[] {
  const folder = dirname(pattern);
  const parts = basename(pattern)
    .split('*')
    .map(part => part.replace(/[.+^${}()|[\]\\?]/g, '\\$&'));
  const name = new RegExp(`^${parts.join('.*')}$`);
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  const paths = entries
    .filter(entry => entry.isFile() && name.test(entry.name))
    .map(entry => join(folder, entry.name));
  if (paths.length === 0) throw new FeedError(feed, `no file is named like ${pattern}: check the path`);
  return paths.toSorted();
}

function durationOf(spec: FeedSpec, setting: string): number | undefined {
  const text = spec.settings.get(setting);
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) {
    throw new FeedError(spec.text, `${setting}=${text} is no duration: write it like 250ms, 1m or 1h`);
  }
  return ms;
}

function depthOf(spec: FeedSpec): number | undefined {
  const text = spec.settings.get('depth');
  if (text === undefined) return undefined;
  const depth = Number(text);
  if (Number.isInteger(depth) && depth > 0) return depth;
  throw new FeedError(spec.text, `depth=${text} is no number of levels: write a whole number above 0`);
}

/** Only what is given, so that defaults stay. */
const given = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> => {
  const record: Partial<Record<K, V>> = {};
  if (value !== undefined) record[key] = value;
  return record;
};

const bookSettings = (spec: FeedSpec): { bookDepth?: number; bookEveryMs?: number } => ({
  ...given('bookDepth', depthOf(spec)),
  ...given('bookEveryMs', durationOf(spec, 'book-every')),
});

const fileSettings = (spec: FeedSpec): FileFeedOptions => ({
  ...given('name', spec.settings.get('name')),
  ...given('venue', spec.settings.get('venue')),
  ...given('symbol', spec.settings.get('symbol')?.toUpperCase()),
  ...given('intervalMs', durationOf(spec, 'interval')),
  ...bookSettings(spec),
});

function channelsOf(spec: FeedSpec): readonly Channel[] | undefined {
  const text = spec.settings.get('channels');
  return text === undefined
    ? undefined
    : listOf(text).map(name => {
        const channel = channelNames.find(each => each === name);
        if (channel !== undefined) return channel;
        throw new FeedError(spec.text, `${name} is no channel; there are ${channelNames.join(', ')}`);
      });
}

function socketFeed(spec: FeedSpec, options: WebSocketFeedOptions): Feed {
  const venue = venueNamed(spec.target);
  if (venue === undefined) {
    const remedy = `known are ${venueNames()}; others may be had as ccxt:${spec.target}`;
    throw new FeedError(spec.text, `the venue ${spec.target} is not known; ${remedy}`);
  }
  return webSocketFeed(venue, symbolsOf(spec), {
    ...options,
    ...given('name', spec.settings.get('name')),
    ...given('channels', channelsOf(spec)),
    ...given('url', spec.settings.get('url')),
    ...bookSettings(spec),
  });
}

function ccxtSettings(spec: FeedSpec): CcxtFeedOptions {
  const channels = channelsOf(spec)?.map(channel => {
    if (channel === 'ticker' || channel === 'trades') return channel;
    throw new FeedError(spec.text, `ccxt: feeds have no channel ${channel}; they have ticker, trades`);
  });
  return {
    ...given('name', spec.settings.get('name')),
    ...given('channels', channels),
    ...given('pollMs', durationOf(spec, 'poll')),
  };
}
