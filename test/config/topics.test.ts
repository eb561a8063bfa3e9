import { expect, it } from 'vitest';
import { loadTopics, topicSettings } from '../../src/config/topics.ts';

const file = new URL('../../configs/stream/topics.yaml', import.meta.url).pathname;
const hour = 3_600_000;
const KB = 1024;

it('the shipped topics have the partitions, retention and sizes of the domain', () => {
  const loaded = loadTopics(file, {});
  if (loaded._tag === 'Left') throw new Error(JSON.stringify(loaded.left));
  const rows = Object.entries(loaded.right.topics).map(([name, topic]) => [
    name.replace(/^cryptorun-/, ''),
    topic.partitions,
    topic.retention / hour,
    topic.key,
    topic.maxMessageSize / KB,
  ]);
  expect(rows).toEqual([
    ['market-prices', 12, 24, 'symbol', 1024],
    ['market-trades', 24, 7 * 24, 'symbol', 512],
    ['market-orderbook', 12, 24, 'symbol', 2048],
    ['market-bars', 12, 30 * 24, 'symbol', 1024],
    ['market-liquidity', 6, 24, 'symbol', 1024],
    ['momentum-scores', 6, 72, 'symbol', 256],
    ['regime-detection', 3, 7 * 24, 'universe', 128],
    ['gate-evaluations', 6, 48, 'symbol', 512],
    ['signals', 6, 7 * 24, 'symbol', 128],
    ['notifications', 3, 72, 'symbol', 64],
    ['metrics', 3, 7 * 24, 'metric name', 1024],
    ['health-checks', 1, 24, 'worker', 1024],
    ['audit-log', 6, 90 * 24, 'actor', 1024],
    ['dlq', 6, 168, 'original key', 4096],
    ['retry', 6, 24, 'original key', 4096],
    ['quarantine', 3, 30 * 24, 'original key', 4096],
    ['historical-replay', 12, 24, 'venue-symbol', 2048],
  ]);
  for (const [name, topic] of Object.entries(loaded.right.topics)) {
    expect(name).toMatch(/^cryptorun-/);
    expect(topic).toMatchObject({ replication: 3, compaction: false });
  }
});

it('topicSettings leaves an absent bound absent', () => {
  const config = {
    key: 'symbol',
    partitions: 2,
    replication: 1,
    retention: hour,
    compaction: false,
    maxMessageSize: KB,
  };
  const settings = {
    partitions: 2,
    replication: 1,
    retentionMs: hour,
    compaction: false,
    maxMessageBytes: KB,
  };
  expect(topicSettings(config)).toEqual(settings);
  expect(topicSettings({ ...config, retentionBytes: 7 })).toEqual({ ...settings, retentionBytes: 7 });
});
