import type { Feed, FeedBatch, FeedItem } from '../../feeds/feed.ts';

const poisonPrefix = 'POISON-';
/** More than open a circuit. */
const burst = 6;
/** How far a finite feed is at each burst: early enough for all to be well again at its end. */
const burstsAt = [0.2, 0.5];
/** An endless feed has a burst every so many items. */
const itemsPerBurst = 50_000;

/** Whether a message of this key was made to fail. */
export function isPoison(key: string | null): boolean {
  return key?.startsWith(poisonPrefix) === true;
}

/**
 * A feed that now and then says what cannot be handled beside what is real: a burst of prices of coins that do not
 * exist, and a line that is no market data. What is real is left as it is.
 */
export function poisoned(feed: Feed): Feed {
  return {
    name: feed.name,
    contents: feed.contents,
    read: async function* (position, signal) {
      let round = 0;
      let items = 0;
      for await (const batch of feed.read(position, signal)) {
        items += batch.items.length;
        const isDue =
          batch.progress === undefined
            ? items >= (round + 1) * itemsPerBurst
            : batch.progress >= (burstsAt[round] ?? Number.POSITIVE_INFINITY);
        yield isDue ? withPoison(batch, ++round) : batch;
      }
    },
  };
}

function withPoison(batch: FeedBatch, round: number): FeedBatch {
  const model = batch.items.find(item => item.kind === 'price');
  if (model === undefined) return batch;
  const coins = Array.from({ length: burst }, (_, i): FeedItem => {
    const symbol = `${poisonPrefix}${round}-${i}`;
    return { kind: 'price', value: { ...model.value, symbol } };
  });
  const garbage: FeedItem = {
    kind: 'malformed',
    raw: Buffer.from(`chaos ${round}`),
    reason: 'chaos: no market data',
    place: `round ${round}`,
  };
  return { ...batch, items: [...coins, garbage, ...batch.items] };
}
