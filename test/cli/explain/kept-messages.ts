import { MarketPrice } from '../../../src/feeds/market-data.ts';
import type { MarketBar } from '../../../pipelines/market-bar.ts';
import type { ChainReader } from '../../../src/cli/explain/find-chain.ts';
import { defaultChainTopics as topics } from '../../../src/cli/explain/find-chain.ts';
import { jsonCodec } from '../../../src/core/codec.ts';
import { evaluateGates } from '../../../pipelines/gate-rules.ts';
import { defaultGateSettings } from '../../../pipelines/gate-settings.ts';
import { jsonChainCodecs as codecs } from '../../../src/cli/explain/explain-signal.ts';
import type { Message } from '../../../src/core/message.ts';
import { messageOf } from '../../../src/testing/message-builder.ts';
import { liquid, score } from '../../pipelines/scores-at-hand.ts';
import { entryAndExit, hour, regime } from '../view/states.ts';

/** A folder of topics, in memory; `without` names topics whose messages are gone. */
export function readerOf(messages: readonly Message[], without: readonly string[] = []): ChainReader {
  const kept = messages.filter(({ topic }) => !without.includes(topic));
  return {
    findById: (topic, id) => Promise.resolve(kept.find(m => m.topic === topic && m.id === id)),
    findBetween: (topic, key, from, to) =>
      Promise.resolve(
        kept.filter(
          m =>
            m.topic === topic &&
            (key === undefined || m.key === key) &&
            m.timestamp > from &&
            m.timestamp <= to,
        ),
      ),
  };
}

const ids = {
  price: '1'.repeat(32),
  bar: '2'.repeat(32),
  score: '3'.repeat(32),
  gates: '4'.repeat(32),
  regime: '5'.repeat(32),
};

interface Placed {
  readonly topic: string;
  readonly offset: number;
  readonly id: string;
  readonly time: number;
  readonly payload: Uint8Array;
  readonly cause?: string;
  readonly key?: string;
}

function placed({ topic, offset, id, time, payload, cause, key = 'SOL-USDT' }: Placed): Message {
  const headers = { 'correlation-id': ids.price, ...(cause === undefined ? {} : { 'causation-id': cause }) };
  return messageOf({ topic, partition: 3, offset, id, timestamp: time, payload, headers, key });
}

/** Everything behind an entry and the exit that ended it, as the pipelines write it. */
export function keptMessages(): { entry: Message; exit: Message; all: readonly Message[] } {
  const { entry, exit } = entryAndExit();
  const { time, price, symbol, venue } = entry;
  const scored = score({
    symbol,
    time,
    price,
    atr: price / 80,
    score: 82.14,
    regime: 'trending_bull',
    regimeTime: regime.time - 4 * hour,
    closedBy: { time: time + 400, price },
  });
  const evaluation = evaluateGates(scored, { ...liquid, symbol, time }, defaultGateSettings);
  const bar: MarketBar = {
    venue,
    symbol,
    intervalMs: 60_000,
    end: time,
    open: price - 1,
    high: price,
    low: price - 1.2,
    close: price,
    volume: 812.5,
    closedBy: { time: time + 400, price },
  };
  const prices = jsonCodec(MarketPrice);
  const priceAt = (at: number, offset: number, id: string): Message =>
    placed({
      topic: topics.prices,
      offset,
      id,
      time: at,
      payload: prices.encode({ venue, symbol, price, time: at }),
    });
  const entryMessage = placed({
    topic: topics.signals,
    offset: 128,
    id: entry.id,
    time,
    payload: codecs.signal.encode(entry),
    cause: ids.gates,
  });
  const exitMessage = placed({
    topic: topics.signals,
    offset: 129,
    id: exit.id,
    time: exit.time,
    payload: codecs.signal.encode(exit),
    cause: 'f'.repeat(32),
  });
  const at4h = { ...regime, time: regime.time - 4 * hour };
  const all = [
    ...Array.from({ length: 9 }, (_, n) =>
      priceAt(time - 59_000 + n * 5_000, 7_000 + n, String(n).padStart(32, 'a')),
    ),
    priceAt(time + 400, 7_009, ids.price),
    placed({
      topic: topics.bars,
      offset: 511,
      id: ids.bar,
      time,
      payload: codecs.bar.encode(bar),
      cause: ids.price,
    }),
    placed({
      topic: topics.scores,
      offset: 402,
      id: ids.score,
      time,
      payload: codecs.score.encode(scored),
      cause: ids.bar,
    }),
    placed({
      topic: topics.gates,
      offset: 77,
      id: ids.gates,
      time,
      payload: codecs.evaluation.encode(evaluation),
      cause: ids.score,
    }),
    placed({
      topic: topics.regimes,
      offset: 12,
      id: ids.regime,
      time: at4h.time,
      payload: codecs.regime.encode(at4h),
      key: 'all',
    }),
    entryMessage,
    exitMessage,
  ];
  return { entry: entryMessage, exit: exitMessage, all };
}
