import { isRight } from 'fp-ts/lib/Either.js';
import { GateEvaluation } from '../../../pipelines/gate-evaluation.ts';
import { MarketBar } from '../../../pipelines/market-bar.ts';
import { defaultMomentumSettings } from '../../../pipelines/momentum-settings.ts';
import { MomentumScore } from '../../../pipelines/momentum-value.ts';
import { Regime } from '../../../pipelines/regime-value.ts';
import { type EntrySignal, Signal } from '../../../pipelines/signal-value.ts';
import { type Codec, jsonCodec } from '../../core/codec.ts';
import type { Message } from '../../core/message.ts';
import { MarketPrice, MarketTrade } from '../../feeds/market-data.ts';
import type { BarInput, Explanation } from './explanation.ts';
import { type ChainReader, type ChainTopics, defaultChainTopics, findChain, linkOf } from './find-chain.ts';

/** The codecs of the topics on the way. */
export interface ChainCodecs {
  readonly signal: Codec<Signal>;
  readonly evaluation: Codec<GateEvaluation>;
  readonly score: Codec<MomentumScore>;
  readonly regime: Codec<Regime>;
  readonly bar: Codec<MarketBar>;
  readonly price: Codec<MarketPrice>;
  readonly trade: Codec<MarketTrade>;
}

/** JSON, as the project ships it. */
export const jsonChainCodecs: ChainCodecs = {
  signal: jsonCodec(Signal, { name: 'Signal' }),
  evaluation: jsonCodec(GateEvaluation, { name: 'GateEvaluation' }),
  score: jsonCodec(MomentumScore, { name: 'MomentumScore' }),
  regime: jsonCodec(Regime, { name: 'Regime' }),
  bar: jsonCodec(MarketBar, { name: 'MarketBar' }),
  price: jsonCodec(MarketPrice, { name: 'MarketPrice' }),
  trade: jsonCodec(MarketTrade, { name: 'MarketTrade' }),
};

export interface ExplainOptions {
  /** Default: the names that the project ships with. */
  readonly topics?: ChainTopics;
  /** Default: JSON. */
  readonly codecs?: ChainCodecs;
  /** Default 2. */
  readonly scoreScale?: number;
}

interface Found<A> {
  readonly value: A;
  readonly message: Message;
}

function decoded<A>(codec: Codec<A>, message: Message): Found<A> | undefined {
  const result = message.payload === null ? undefined : codec.decode(message.payload);
  return result !== undefined && isRight(result) ? { value: result.right, message } : undefined;
}

function allDecoded<A>(codec: Codec<A>, messages: readonly Message[]): Found<A>[] {
  return messages.map(message => decoded(codec, message)).filter(found => found !== undefined);
}

/** Looks for the values of one signal: first among its causes, then by event time. */
class Search {
  readonly reader: ChainReader;
  readonly signal: Signal;
  readonly causes: readonly Message[];
  /** Found beside the causes. */
  readonly others: Message[] = [];
  readonly notes: string[] = [];

  constructor(reader: ChainReader, signal: Signal, causes: readonly Message[]) {
    this.reader = reader;
    this.signal = signal;
    this.causes = causes;
  }

  /** The value of this topic that is of the signal's venue, symbol and time. */
  async sameTime<A extends { readonly venue: string; readonly symbol: string }>(
    topic: string,
    codec: Codec<A>,
    timeOf: (value: A) => number,
  ): Promise<A | undefined> {
    const { venue, symbol, time } = this.signal;
    const fits = ({ value }: Found<A>): boolean =>
      value.venue === venue && value.symbol === symbol && timeOf(value) === time;
    const cause = allDecoded(
      codec,
      this.causes.filter(message => message.topic === topic),
    ).find(fits);
    if (cause !== undefined) return cause.value;
    return this.#beside(
      topic,
      allDecoded(codec, await this.reader.findBetween(topic, symbol, time - 1, time)).find(fits),
    );
  }

  /** The regime of this 4h boundary. */
  async regimeAt(topic: string, codec: Codec<Regime>, time: number): Promise<Regime | undefined> {
    const messages = await this.reader.findBetween(topic, undefined, time - 1, time);
    return this.#beside(
      topic,
      allDecoded(codec, messages).find(({ value }) => value.time === time),
    );
  }

  #beside<A>(topic: string, found: Found<A> | undefined): A | undefined {
    if (found === undefined) this.notes.push(`${topic} holds nothing for this time any more`);
    else if (!this.causes.some(({ id }) => id === found.message.id)) this.others.push(found.message);
    return found?.value;
  }
}

/** Prices and trades of the bar's own span, oldest first. */
async function inputsOf(
  reader: ChainReader,
  bar: MarketBar,
  topics: ChainTopics,
  codecs: ChainCodecs,
): Promise<BarInput[]> {
  const { venue, symbol, end, intervalMs } = bar;
  const place = ({ topic, partition, offset }: Message) => ({ topic, partition, offset }) as const;
  const prices = allDecoded(
    codecs.price,
    await reader.findBetween(topics.prices, symbol, end - intervalMs, end),
  )
    .filter(({ value }) => value.venue === venue)
    .map(({ value, message }): BarInput => {
      const { time, price, volume } = value;
      return {
        kind: value.intervalMs === undefined ? 'price' : 'bar',
        time,
        price,
        volume,
        ...place(message),
      };
    });
  const trades = allDecoded(
    codecs.trade,
    await reader.findBetween(topics.trades, symbol, end - intervalMs, end),
  )
    .filter(({ value }) => value.venue === venue)
    .map(({ value, message }): BarInput => {
      const { time, price, size } = value;
      return { kind: 'trade', time, price, volume: size, ...place(message) };
    });
  return [...prices, ...trades].sort((a, b) => a.time - b.time);
}

async function entryOf(
  search: Search,
  topics: ChainTopics,
  codecs: ChainCodecs,
): Promise<EntrySignal | undefined> {
  const { signal, reader } = search;
  if (signal.kind === 'entry') return undefined;
  const message = await reader.findById(topics.signals, signal.entryId, signal.entryTime);
  const entry = message === undefined ? undefined : decoded(codecs.signal, message)?.value;
  if (entry?.kind === 'entry') return entry;
  search.notes.push(`${topics.signals} does not hold the entry ${signal.entryId} any more`);
  return undefined;
}

/**
 * Gathers everything that led to a signal. What is no longer kept is left out and named in `notes`.
 *
 * @throws RangeError where the message is no signal.
 */
export async function explainSignal(
  reader: ChainReader,
  message: Message,
  { topics = defaultChainTopics, codecs = jsonChainCodecs, scoreScale }: ExplainOptions = {},
): Promise<Explanation> {
  const signal = decoded(codecs.signal, message)?.value;
  if (signal === undefined) {
    const place = `${message.topic}[${message.partition}]@${message.offset}`;
    throw new RangeError(`${place} is no signal. Ask for the id of a message of ${topics.signals}.`);
  }
  const chain = await findChain(reader, message, topics);
  const search = new Search(reader, signal, chain.messages);
  const score = await search.sameTime(topics.scores, codecs.score, value => value.time);
  // An exit follows from a score alone.
  const isEntry = signal.kind === 'entry';
  const evaluation = isEntry
    ? await search.sameTime(topics.gates, codecs.evaluation, value => value.time)
    : undefined;
  const bar = await search.sameTime(topics.bars, codecs.bar, value => value.end);
  const regimeTime = score?.regimeTime ?? null;
  const regime =
    regimeTime === null ? undefined : await search.regimeAt(topics.regimes, codecs.regime, regimeTime);
  const inputs = bar === undefined ? [] : await inputsOf(reader, bar, topics, codecs);
  const entry = await entryOf(search, topics, codecs);
  return {
    signal,
    entry,
    score,
    evaluation,
    regime,
    bar,
    inputs,
    chain: [...chain.links, ...search.others.map(other => linkOf(other, 'event time'))],
    notes: search.notes,
    scoreScale: scoreScale ?? defaultMomentumSettings.scoreScale,
  };
}
