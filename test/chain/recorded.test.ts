import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type MarketBar, type MarketSettings, defaultGateSettings } from '../../pipelines/index.ts';
import type { Feed, FeedBatch } from '../../src/feeds/feed.ts';
import { fileFeed } from '../../src/feeds/file-feed.ts';
import { noRecordedBars, recordedBars } from '../pipelines/recorded-bars.ts';
import { type ChainPlan, quickSettings, runChain } from './chain-run.ts';
import { type Direct, asDirect, directly } from './direct-chain.ts';

const days = process.env['CRYPTORUN_LONG'] === '1' ? 30 : 10;
const symbols = ['BTC-USDT', 'DOGE-USDT', 'PSG-USDT'];
const root = process.env['CRYPTORUN_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const until = Date.UTC(2021, 3, 2) + days * 86_400_000;

/** Low gates, so that many scores are evaluated; indicators as they are. */
const settings: MarketSettings = { gates: { ...(quickSettings.gates ?? defaultGateSettings), minScore: 60 } };

/** The recorded bars up to a time, as files say them. */
function recorded(between: () => Promise<void>): Feed {
  const feed = fileFeed(
    symbols.map(symbol => join(root, 'binance-1m-2021', `${symbol.replace('-', '_')}-1m.json.gz`)),
  );
  const isEarly = (time: number): boolean => time <= until;
  return {
    ...feed,
    async *read(position, signal): AsyncGenerator<FeedBatch, void, undefined> {
      for await (const batch of feed.read(position, signal)) {
        await between();
        const items = batch.items.filter(
          item => item.kind === 'malformed' || isEarly(item.kind === 'time' ? item.time : item.value.time),
        );
        if (items.length > 0) yield { ...batch, items };
        if (items.length < batch.items.length) return;
      }
    },
  };
}

function expectEqual(actual: Direct, wanted: Direct): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, lines] of Object.entries(wanted)) {
    const at = lines.findIndex((line, i) => line !== actual[name]?.[i]);
    expect(at < 0 ? '' : `${name} ${at}: ${actual[name]?.[at] ?? 'missing'}`).toBe(at < 0 ? '' : lines[at]);
    expect(actual[name]?.length).toBe(lines.length);
  }
}

const about = `the chain over ${days} recorded days of ${symbols.length} symbols`;

describe.skipIf(noRecordedBars !== undefined)(`${about} ${noRecordedBars ?? ''}`, () => {
  const barsInOrder = (): MarketBar[] =>
    symbols
      .flatMap(symbol => recordedBars(symbol).filter(({ end }) => end <= until))
      .sort((a, b) => a.end - b.end);
  let direct: Direct | undefined;

  it.each<[what: string, plan: ChainPlan]>([
    ['undisturbed', {}],
    [
      'with crashes, drains and a slow broker',
      {
        partitions: { input: 2, bars: 3, joined: 2 },
        snapshotEvery: 3_000,
        incidents: (['crash', 'slow', 'crash', 'drain', 'disconnect', 'crash', 'crash'] as const).map(
          what => ({
            after: 9_000,
            what,
            extent: 20,
          }),
        ),
      },
    ],
  ])(
    'gives what the functions alone give: %s',
    async (_, plan) => {
      direct ??= directly(barsInOrder(), until, settings);
      const { outputs, status, incidents } = await runChain(recorded, { ...plan, settings });
      expect(incidents).toBe(plan.incidents?.length ?? 0);
      expectEqual(asDirect(outputs), direct);
      const counted = Object.entries(direct).map(
        ([name, { length }]) => [name.split(' ')[0], length] as const,
      );
      const sum = (topic: string): number =>
        counted.reduce((all, [name, length]) => (name === `cryptorun-${topic}` ? all + length : all), 0);
      expect(sum('momentum-scores')).toBeGreaterThan(days * 2_000);
      expect(sum('gate-evaluations')).toBeGreaterThan(1_000);
      expect(sum('signals')).toBeGreaterThan(4);
      expect(sum('regime-detection')).toBe(days * 6);
      for (const { name, lag, inFlight, deadLettered, stuckAt } of status) {
        const wanted = { name, lag: 0, inFlight: 0, deadLettered: 0, stuckAt: undefined };
        expect({ name, lag, inFlight, deadLettered, stuckAt }).toEqual(wanted);
      }
    },
    120_000,
  );
});
