import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { explainSignal } from '../../../src/cli/explain/explain-signal.ts';
import type { Explanation } from '../../../src/cli/explain/explanation.ts';
import { renderExplanation } from '../../../src/cli/explain/render-explanation.ts';
import { displayWidth } from '../../../src/cli/view/display-width.ts';
import { keptMessages, readerOf } from './kept-messages.ts';

async function explained(kind: 'entry' | 'exit', without: readonly string[] = []): Promise<Explanation> {
  const kept = keptMessages();
  return explainSignal(readerOf(kept.all, without), kept[kind]);
}

function shown(explanation: Explanation, columns = 120): string {
  return renderExplanation(explanation, { columns }).join('\n');
}

describe('renderExplanation', () => {
  it('begins with what happened, when, at which price', async () => {
    expect(shown(await explained('entry'))).toMatch(
      /^▲ ENTRY {2}SOL-USDT +at binance +141\.52 +2026-01-14 02:31:07 UTC +score 82\.1/,
    );
  });

  it('shows each part of the score, the sum and the formula', async () => {
    const text = shown(await explained('entry'));
    expect(text).toMatch(/horizon +return +Z +weight +contribution/);
    expect(text).toMatch(/over 4h +\+4\.00 % +\+2\.00 +35 % +\+0\.700 +█/);
    expect(text).toMatch(/over 7d +\+20\.00 % +\+1\.50 +0 % +0\.000/);
    expect(text).toMatch(/acceleration boost +\+1\.00 % +\+0\.100/);
    expect(text).toMatch(/strength S +\+2\.100\n/);
    expect(text).toContain('score = 100 * tanh(S / 2) = 100 * tanh(2.1 / 2) = 78.2');
    expect(text).toContain('The score itself is 82.1: it was made with another scale.');
    expect(text).toMatch(/ATR 1\.769/);
  });

  it('shows every gate with its status, value, threshold, unit and reason', async () => {
    const text = shown(await explained('entry'));
    expect(text).toContain('GATES  10 of 10 gates passed  thresholds of trending_bull');
    expect(text).toMatch(/movement +✔ passed +4 +2\.5 +% +the move over 4 hours of/);
    expect(text.match(/✔ passed/g)).toHaveLength(10);
  });

  it('shows the regime, the bar, its prices and what closed it', async () => {
    const text = shown(await explained('entry'));
    expect(text).toMatch(/REGIME {2}trending_bull {2}confidence 67 %/);
    expect(text).toMatch(/volatility +31\.2 % +high_vol +12 of 12/);
    expect(text).toMatch(/BAR {2}1m to 2026-01-14 02:31:07 UTC {2}of 9 inputs/);
    expect(text).toContain('... 3 between ...');
    expect(text).toContain(
      'Closed by the event of 2026-01-14 02:31:07.400 UTC at 141.52, 400ms after its end.',
    );
  });

  it('shows the chain with topic, partition, offset and ids', async () => {
    const text = shown(await explained('entry'));
    expect(text).toContain(`CHAIN  6 messages  correlation ${'1'.repeat(32)}`);
    expect(text).toContain('● cryptorun-signals[3]@128  SOL-USDT  2026-01-14 02:31:07 UTC');
    expect(text).toContain(`causation ${'4'.repeat(32)}`);
    expect(text).toContain('└ because of cryptorun-market-prices[3]@7009');
    expect(text).toContain('+ together with cryptorun-regime-detection[3]@12');
  });

  it('tells of an exit its entry, reason and return', async () => {
    const text = shown(await explained('exit'));
    expect(text).toMatch(/^▼ EXIT {2}SOL-USDT/);
    expect(text).toContain('+4.3 %  momentum lost');
    expect(text).toMatch(
      /Entered 2026-01-14 02:31:07 UTC at 141\.52, stop 137\.982, score 82\.1; held for 6h 00m\./,
    );
    expect(text).not.toContain('GATES');
  });

  it('says what is no longer kept, and shows what travelled in the signal', async () => {
    const { entry } = keptMessages();
    const text = shown(await explainSignal(readerOf([]), entry));
    expect(text).toMatch(/over 4h +\+4\.00 %/);
    expect(text).toContain('The evaluation itself is no longer kept');
    expect(text).toMatch(/because of 4{32}, which .* no longer\s+holds/);
    expect(text).toContain('The bar is no longer kept.');
  });

  it('stays within any width, cuts no reason, and holds no escape sequence without colour', async () => {
    const all = [
      await explained('entry'),
      await explained('exit'),
      await explained('entry', ['cryptorun-market-bars']),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.integer({ min: 1, max: 160 }), (explanation, columns) => {
        const lines = renderExplanation(explanation, { columns });
        for (const line of lines) {
          expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
        const coloured = renderExplanation(explanation, { columns, colour: true });
        expect(coloured.map(line => stripVTControlCharacters(line).trimEnd())).toEqual(lines);
      }),
      { numRuns: 60 },
    );
    const narrow = shown(all[0] as Explanation, 60).replaceAll(/\s+/g, ' ');
    for (const gate of all[0]?.evaluation?.gates ?? []) expect(narrow).toContain(gate.reason);
  });
});
