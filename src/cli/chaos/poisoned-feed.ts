import type { Feed, FeedBatch, FeedItem } from '../../feeds/feed.ts';

const poisonPrefix = 'POISON-';
/** More than open a circuit. */
const burst = 8;
/** Bursts over a finite feed; an endless one has one every so many items. */
const bursts = 5;
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
      let due = 1;
      let items = 0;
      for await (const batch of feed.read(position, signal)) {
        items += batch.items.length;
        const reached = batch.progress === undefined ? items / itemsPerBurst : batch.progress * (bursts + 1);
        // The last one long enough before the end for everything to be well again by then.
        const isOver = batch.progress !== undefined && due > bursts;
        yield reached < due || isOver ? batch : withPoison(batch, due);
        due = Math.max(due, Math.floor(reached) + 1);
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
