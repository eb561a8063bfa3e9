import { describe, expect, it } from 'vitest';
import { inDataOrder } from '../../src/runtime/data-order.ts';

const topics = (inputs: string[], outputs: string[]) => ({
  topics: { inputs: new Set(inputs), outputs: new Set(outputs) },
});

describe('inDataOrder', () => {
  it('puts those first whose outputs others read, whatever the order', () => {
    const bars = topics(['prices'], ['bars']);
    const scores = topics(['bars', 'regime'], ['scores']);
    const regime = topics(['bars'], ['regime']);
    expect(inDataOrder([scores, regime, bars])).toEqual([bars, regime, scores]);
    expect(inDataOrder([bars, scores, regime])).toEqual([bars, regime, scores]);
  });

  it('ends where pipelines feed each other', () => {
    const a = topics(['x'], ['y']);
    const b = topics(['y'], ['x']);
    expect(inDataOrder([a, b])).toHaveLength(2);
  });
});
