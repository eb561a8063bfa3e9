import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChainPlan, type ChainResult, type Incident, quickSettings, runChain } from './chain-run.ts';
import type { MarketBar } from '../../pipelines/index.ts';
import type { MarketPrice } from '../../src/index.ts';
import { asDirect, directly } from './direct-chain.ts';
import { type FeedPlan, type SmallMarket, marketFeed, marketItems } from './small-market.ts';
import { propertyRuns } from '../property-runs.ts';

const long = process.env['CRYPTORUN_LONG'] === '1';
const noLong = long ? '' : ' (skipped: set CRYPTORUN_LONG=1, it takes minutes)';
const carried = ['bars', 'trades'] as const;

const market = (carries: SmallMarket['carries'], seed = 1): SmallMarket => ({ seed, hours: 34, carries });

function run(of: SmallMarket, plan: ChainPlan & Partial<FeedPlan> = {}): Promise<ChainResult> {
  const barsFrom = of.carries === 'bars' ? 'prices' : 'trades';
  return runChain(between => marketFeed(of, { batchSize: 100, ...plan, between }), {
    settings: { ...quickSettings, barsFrom },
    ...plan,
  });
}

const references = new Map<string, Promise<ChainResult>>();

/** What an undisturbed run gives. */
function reference(of: SmallMarket): Promise<ChainResult> {
  const name = JSON.stringify(of);
  const known = references.get(name) ?? run(of);
  references.set(name, known);
  return known;
}

/** The first output that differs, in words; undefined where all are the same. */
function difference(actual: ChainResult, wanted: ChainResult): string | undefined {
  for (const name of new Set([...Object.keys(wanted.outputs), ...Object.keys(actual.outputs)])) {
    const [is, should] = [actual.outputs[name] ?? [], wanted.outputs[name] ?? []];
    const at = should.findIndex((line, i) => line !== is[i]);
    if (at >= 0) return `${name}, output ${at}: ${is[at] ?? 'missing'} instead of ${should[at] ?? ''}`;
    if (is.length > should.length) return `${name}: ${is[should.length] ?? ''} is one too many`;
  }
  return undefined;
}

async function expectSame(of: SmallMarket, plan: ChainPlan & Partial<FeedPlan>): Promise<ChainResult> {
  const result = await run(of, plan);
  expect(difference(result, await reference(of))).toBeUndefined();
  for (const { name, inFlight, lag, deadLettered, problem } of result.status) {
    expect({ name, inFlight, lag, deadLettered, problem }).toEqual({
      name,
      inFlight: 0,
      lag: 0,
      deadLettered: 0,
      problem: undefined,
    });
  }
  return result;
}

const partitionCounts = fc.record({
  input: fc.integer({ min: 1, max: 5 }),
  bars: fc.integer({ min: 1, max: 5 }),
  joined: fc.integer({ min: 1, max: 5 }),
});

const incident: fc.Arbitrary<Incident> = fc.record({
  after: fc.integer({ min: 1, max: 900 }),
  what: fc.constantFrom('crash', 'crash', 'drain', 'share', 'share', 'duplicate', 'slow', 'disconnect'),
  extent: fc.integer({ min: 1, max: 60 }),
});

const property = { ...propertyRuns(long ? 60 : 5), endOnFailure: true };

function barOf({
  venue,
  symbol,
  price,
  time,
  open = price,
  high = price,
  low = price,
  volume = 0,
}: MarketPrice): MarketBar {
  const closedBy = { time, price };
  return { venue, symbol, intervalMs: 60_000, end: time, open, high, low, close: price, volume, closedBy };
}

describe('the chain gives the same outputs', () => {
  it('of every kind in an undisturbed run', async () => {
    for (const carries of carried) {
      const { outputs, status } = await reference(market(carries));
      const topics = new Set(Object.keys(outputs).map(name => name.split(' ')[0]?.replace('cryptorun-', '')));
      const always = ['market-bars', 'regime-detection', 'momentum-scores', 'gate-evaluations', 'signals'];
      const wanted = [...always, 'notifications', ...(carries === 'trades' ? ['market-liquidity'] : [])];
      expect([...topics].sort()).toEqual(wanted.sort());
      const signals = Object.entries(outputs).filter(([name]) => name.startsWith('cryptorun-signals'));
      const text = signals.flatMap(([, lines]) => lines).join('\n');
      expect(text.match(/"kind":"entry"/g)?.length).toBeGreaterThan(2);
      expect(text.match(/"kind":"exit"/g)?.length).toBeGreaterThan(2);
      expect(outputs['cryptorun-regime-detection all']?.join('')).toMatch(/"label":"trending_bull"/);
      expect(status.every(({ lag, inFlight }) => lag === 0 && inFlight === 0)).toBe(true);
    }
  });

  // Kills: the join passes deliveries without waiting for the table's watermark (`table.watermark < at` gone
  // in join-as-of); rows let go by the times of deliveries, not by markers.
  it.each(carried)(
    'for any batch sizes, interleaving, partition counts and credit: %s',
    async carries => {
      const plan = fc.record({
        batchSize: fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 8 }),
        interleaving: fc.nat(),
        partitions: partitionCounts,
        maxInFlight: fc.integer({ min: 1, max: 200 }),
        snapshotEvery: fc.integer({ min: 20, max: 2_000 }),
      });
      await fc.assert(
        fc.asyncProperty(plan, async of => {
          await expectSame(market(carries), of);
        }),
        property,
      );
    },
    600_000,
  );

  // Kills: trades that are counted twice when said twice; a snapshot taken while something is in flight.
  it.each(carried)(
    'whatever goes wrong, and how often it is started anew: %s',
    async carries => {
      const plan = fc.record({
        batchSize: fc.array(fc.integer({ min: 5, max: 300 }), { minLength: 1, maxLength: 8 }),
        interleaving: fc.nat(),
        partitions: partitionCounts,
        maxInFlight: fc.constantFrom(3, 50, 1024),
        snapshotEvery: fc.integer({ min: 20, max: 1_000 }),
        incidents: fc.array(incident, { minLength: 1, maxLength: 12 }),
        repeated: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(plan, async of => {
          const { incidents } = await expectSame(market(carries), of);
          expect(incidents).toBeGreaterThan(0);
        }),
        property,
      );
    },
    600_000,
  );

  // Kills: a price that is counted twice or left out where state and offsets of a snapshot disagree.
  it('as the functions alone, no price counted twice or lost, however often it is stopped', async () => {
    const of = market('bars', 3);
    const bars = marketItems(of).flatMap(item => (item.kind === 'price' ? [barOf(item.value)] : []));
    const wanted = directly(bars, bars.at(-1)?.end ?? 0, quickSettings);
    const incidents = Array.from({ length: 25 }, (_, n): Incident => ({
      after: 150,
      what: n % 5 === 4 ? 'drain' : 'crash',
      extent: 1,
    }));
    const result = await run(of, { batchSize: 40, snapshotEvery: 60, incidents });
    expect(result.incidents).toBeGreaterThan(15);
    expect(asDirect(result.outputs)).toEqual(wanted);
  });

  it.skipIf(!long)(
    `for other markets${noLong}`,
    async () => {
      const plan = fc.record({
        seed: fc.nat(),
        incidents: fc.array(incident, { minLength: 1, maxLength: 20 }),
      });
      await fc.assert(
        fc.asyncProperty(plan, async ({ seed, incidents }) => {
          for (const carries of carried) {
            await expectSame(market(carries, seed), { incidents, snapshotEvery: 100 });
          }
        }),
        { numRuns: 20, endOnFailure: true },
      );
    },
    600_000,
  );
});
