import { deadLetterTopic } from '../core/dead-letter.ts';
import { type TopicSpec, defaultTopicSettings } from '../core/topic.ts';
import type { FeedTopics } from '../feeds/feed-topics.ts';

/** Where feeds write. */
export const feedTopics: FeedTopics = {
  prices: 'cryptorun-market-prices',
  trades: 'cryptorun-market-trades',
  books: 'cryptorun-market-orderbook',
  deadLetters: deadLetterTopic,
  positions: 'cryptorun-feed-positions',
};

/** The configured topics, and the one in which feeds record how far they have come. */
export function withPositions(topics: readonly TopicSpec[]): readonly TopicSpec[] {
  return [...topics, { name: feedTopics.positions, settings: { ...defaultTopicSettings, compaction: true } }];
}
