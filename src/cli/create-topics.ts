import type { EventBus } from '../bus/event-bus.ts';
import { type TopicSpec, defaultTopicSettings } from '../core/topic.ts';
import type { FeedTopics } from '../feeds/feed-topics.ts';
import { ensureTopic } from '../runtime/runtime.ts';

/** Where feeds write. */
export const feedTopics: FeedTopics = {
  prices: 'cryptorun-market-prices',
  trades: 'cryptorun-market-trades',
  books: 'cryptorun-market-orderbook',
  deadLetters: 'cryptorun-dlq',
  positions: 'cryptorun-feed-positions',
};

/** Creates the configured topics, and the one in which feeds record how far they have come. */
export async function createTopics(bus: EventBus, topics: readonly TopicSpec[]): Promise<void> {
  const positions = { ...defaultTopicSettings, compaction: true };
  for (const spec of [...topics, { name: feedTopics.positions, settings: positions }]) {
    await ensureTopic(bus, spec);
  }
}
