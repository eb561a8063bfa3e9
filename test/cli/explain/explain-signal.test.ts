import { describe, expect, it } from 'vitest';
import { explainSignal } from '../../../src/cli/explain/explain-signal.ts';
import { explanationJson } from '../../../src/cli/explain/explanation.ts';
import { messageOf } from '../../../src/testing/message-builder.ts';
import { keptMessages, readerOf } from './kept-messages.ts';

describe('explainSignal', () => {
  it('finds score, gates, regime, bar and the prices of the bar', async () => {
    const { entry, all } = keptMessages();
    const found = await explainSignal(readerOf(all), entry);
    expect(found.score?.score).toBe(82.14);
    expect(found.evaluation?.passed).toBe(true);
    expect(found.regime?.label).toBe('trending_bull');
    expect(found.bar?.volume).toBe(812.5);
    expect(found.inputs.map(({ offset }) => offset)).toEqual([
      7_000, 7_001, 7_002, 7_003, 7_004, 7_005, 7_006, 7_007, 7_008,
    ]);
    expect(found.notes).toEqual([]);
    expect(found.chain.filter(link => link.found && link.via === 'event time')).toMatchObject([
      { topic: 'cryptorun-regime-detection' },
    ]);
  });

  it('finds inputs by their event time where the chain is broken', async () => {
    const { entry, all } = keptMessages();
    const found = await explainSignal(readerOf(all, ['cryptorun-gate-evaluations']), entry);
    expect(found.evaluation).toBeUndefined();
    expect(found.score?.score).toBe(82.14);
    expect(found.notes).toEqual(['cryptorun-gate-evaluations holds nothing for this time any more']);
    expect(found.chain.map(link => (link.found ? link.via : 'missing'))).toEqual([
      'start',
      'missing',
      'event time',
      'event time',
      'event time',
    ]);
  });

  it('finds the entry that an exit ends', async () => {
    const { exit, all } = keptMessages();
    const found = await explainSignal(readerOf(all), exit);
    expect(found.entry?.stopPrice).toBeCloseTo(141.52 * (1 - 2 / 80), 6);
    expect(found.evaluation).toBeUndefined();
    expect(found.notes).not.toContain('cryptorun-gate-evaluations holds nothing for this time any more');
  });

  it('refuses what is no signal', async () => {
    const other = messageOf({ topic: 'cryptorun-signals', partition: 2, offset: 9, payload: '{}' });
    await expect(explainSignal(readerOf([]), other)).rejects.toThrow('cryptorun-signals[2]@9 is no signal');
  });

  it('has a JSON form with null for what is not kept', async () => {
    const { entry } = keptMessages();
    const json = JSON.parse(explanationJson(await explainSignal(readerOf([]), entry))) as Record<
      string,
      unknown
    >;
    expect(json).toMatchObject({
      type: 'explanation',
      version: 1,
      score: null,
      bar: null,
      inputs: [],
      signal: { symbol: 'SOL-USDT' },
    });
  });
});
