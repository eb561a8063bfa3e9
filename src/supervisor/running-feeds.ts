import { labelOf, sampleOf } from './prometheus-text.ts';

/** The feeds that are run where a page of metrics comes from. */
export function runningFeeds(page: string): readonly string[] {
  return page
    .split('\n')
    .filter(line => line.startsWith('stream_feed_running'))
    .flatMap(line => sampleOf(line) ?? [])
    .filter(({ value }) => Number(value) > 0)
    .flatMap(sample => labelOf(sample, 'feed') ?? []);
}
