import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { labelOf, mergePages, sampleOf } from '../../src/supervisor/prometheus-text.ts';

describe('mergePages', () => {
  it('writes each metric once, its samples with the worker', () => {
    const text = (value: number): string =>
      `# HELP a_total Help.\n# TYPE a_total counter\na_total{pipeline="p"} ${value}\n\n# HELP a Help.\n# TYPE a gauge\na ${value}\n`;
    const merged = mergePages([
      { worker: 'w-1', text: text(1) },
      { worker: 'w-2', text: text(2) },
      { worker: 'w-3', text: '' },
    ]);
    expect(merged.split('\n')).toEqual([
      '# HELP a_total Help.',
      '# TYPE a_total counter',
      'a_total{worker="w-1",pipeline="p"} 1',
      'a_total{worker="w-2",pipeline="p"} 2',
      '',
      '# HELP a Help.',
      '# TYPE a gauge',
      'a{worker="w-1"} 1',
      'a{worker="w-2"} 2',
      '',
    ]);
  });

  it('keeps a histogram together', async () => {
    const registry = new Registry();
    new Histogram({ name: 'h', help: 'Help.', buckets: [1], registers: [registry] }).observe(0.5);
    const text = await registry.metrics();
    expect(
      mergePages([{ worker: 'w', text }])
        .trim()
        .split('\n'),
    ).toEqual([
      '# HELP h Help.',
      '# TYPE h histogram',
      'h_bucket{worker="w",le="1"} 1',
      'h_bucket{worker="w",le="+Inf"} 1',
      'h_sum{worker="w"} 0.5',
      'h_count{worker="w"} 1',
    ]);
  });
});

describe('labelOf', () => {
  it.each([
    ['a{x="1",pipeline="bars"} 2', 'bars'],
    [String.raw`a{x="} \"pipeline=\"",pipeline="a\\b\nc"} 2`, 'a\\b\nc'],
    ['a{my_pipeline="x"} 2', undefined],
    ['a 2', undefined],
  ])('reads %s', (line, value) => {
    expect(labelOf(sampleOf(line)!, 'pipeline')).toBe(value);
  });
});
