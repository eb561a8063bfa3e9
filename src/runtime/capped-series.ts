import type { Series } from './series.ts';

/** Label sets of one metric that are told at most. */
const maxLabelSets = 1000;

/**
 * At most so many series of each name: the first ones, which are the same ones each time. What is left out is
 * counted as `stream_metrics_capped`, so that nobody takes the rest for the whole. The buckets of a histogram count as
 * one, for without some of them the others say nothing.
 */
export function cappedSeries(all: readonly Series[], limit: number = maxLabelSets): Series[] {
  const counts = new Map<string, number>();
  const kept = all.filter(({ name, tags: { le } }) => {
    const isWhole = le === undefined || le === '+Inf';
    const count = (counts.get(name) ?? 0) + 1;
    if (isWhole) counts.set(name, count);
    return count <= limit;
  });
  const capped = [...counts].filter(([, count]) => count > limit);
  return [
    ...kept,
    ...capped.map(([metric, count]): Series => {
      return { name: 'stream_metrics_capped', tags: { metric }, kind: 'gauge', value: count - limit };
    }),
  ];
}
