import { expect, it } from 'vitest';
import { runningFeeds } from '../../src/supervisor/running-feeds.ts';

it('takes the feeds that a worker runs from its page of metrics', () => {
  const page = [
    '# TYPE stream_feed_running gauge',
    'stream_feed_running{feed="market"} 1',
    'stream_feed_running{feed="spot \\"a\\""} 1',
    'stream_feed_running{feed="other"} 0',
    'stream_running{pipeline="bars"} 1',
  ].join('\n');
  expect(runningFeeds(page)).toEqual(['market', 'spot "a"']);
});
