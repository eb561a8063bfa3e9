import type { Message } from '../../core/message.ts';
import { provenance } from '../../core/provenance.ts';

/** All that explaining needs of a bus or of a folder of logs. */
export interface ChainReader {
  /** The message of this id; undefined where the topic no longer holds it. The time says where to look. */
  findById(topic: string, id: string, aroundEventTime: number): Promise<Message | undefined>;
  /**
   * The messages of a key (undefined: of all keys) whose event time, ms, is in `(from, to]`, in the order of
   * the topic; how many at most is the reader's choice.
   */
  findBetween(topic: string, key: string | undefined, from: number, to: number): Promise<readonly Message[]>;
}

/** What each topic on the way to a signal is called. */
export interface ChainTopics {
  readonly signals: string;
  readonly gates: string;
  readonly scores: string;
  readonly regimes: string;
  readonly bars: string;
  readonly prices: string;
  readonly trades: string;
}

/** The names that the project ships with. */
export const defaultChainTopics: ChainTopics = {
  signals: 'cryptorun-signals',
  gates: 'cryptorun-gate-evaluations',
  scores: 'cryptorun-momentum-scores',
  regimes: 'cryptorun-regime-detection',
  bars: 'cryptorun-market-bars',
  prices: 'cryptorun-market-prices',
  trades: 'cryptorun-market-trades',
};

/** A message on the way. */
export interface FoundLink {
  readonly found: true;
  /** `cause`: named by the message after it; `event time`: an input of the same time beside the cause. */
  readonly via: 'start' | 'cause' | 'event time';
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  readonly key: string | null;
  /** ms. */
  readonly eventTime: number;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
}

/** Where the way ends although it goes on. */
export interface MissingLink {
  readonly found: false;
  /** Where it was looked for. */
  readonly topics: readonly string[];
  readonly id: string;
  /** The time of the message that names it, ms. */
  readonly eventTime: number;
}

/** One step on the way from a signal back to a price. */
export type ChainLink = FoundLink | MissingLink;

/** The way back, newest first. */
export interface Chain {
  readonly links: readonly ChainLink[];
  /** The messages found, the signal's own first. */
  readonly messages: readonly Message[];
}

/** Where the cause of a message of each topic can be; a way that goes by these ends, because none leads back. */
function causesOf(topic: string, topics: ChainTopics): readonly string[] {
  switch (topic) {
    case topics.signals:
      return [topics.gates, topics.scores];
    case topics.gates:
      return [topics.scores];
    case topics.scores:
      return [topics.bars, topics.regimes];
    case topics.regimes:
      return [topics.bars];
    case topics.bars:
      return [topics.prices, topics.trades];
    default:
      return [];
  }
}

/** How a message stands in a chain. */
export function linkOf(message: Message, via: FoundLink['via']): FoundLink {
  return {
    found: true,
    via,
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    id: message.id,
    key: message.key,
    eventTime: message.timestamp,
    correlationId: message.headers.get(provenance.correlation),
    causationId: message.headers.get(provenance.causation),
  };
}

async function findIn(
  reader: ChainReader,
  topics: readonly string[],
  id: string,
  time: number,
): Promise<Message | undefined> {
  for (const topic of topics) {
    const message = await reader.findById(topic, id, time);
    if (message !== undefined) return message;
  }
  return undefined;
}

/**
 * Follows the causation ids from a signal back to the price or trade it began with. A message that is no longer
 * kept ends the way with a {@link MissingLink}; that is no error.
 */
export async function findChain(
  reader: ChainReader,
  signal: Message,
  topics: ChainTopics = defaultChainTopics,
): Promise<Chain> {
  const messages = [signal];
  const links: ChainLink[] = [linkOf(signal, 'start')];
  let candidates = causesOf(signal.topic, topics);
  let [id, eventTime] = [signal.headers.get(provenance.causation), signal.timestamp];
  while (id !== undefined && candidates.length > 0) {
    const cause = await findIn(reader, candidates, id, eventTime);
    if (cause === undefined) {
      links.push({ found: false, topics: candidates, id, eventTime });
      break;
    }
    messages.push(cause);
    links.push(linkOf(cause, 'cause'));
    candidates = causesOf(cause.topic, topics);
    [id, eventTime] = [cause.headers.get(provenance.causation), cause.timestamp];
  }
  return { links, messages };
}
