import { expect, it, onTestFinished } from 'vitest';
import { runDisturbed } from '../../chaos/disturbed-run.ts';
import { plannedEvents } from '../../chaos/events.ts';
import { ChaosGround } from '../../chaos/ground.ts';
import { noRecordedDays } from '../../chaos/recorded-days.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

const sizes = { workers: 3, brokers: 3 };
const sessionTimeoutMs = 10_000;

describeOwnKafka('the market job spread over three workers', () => {
  // Finds: state kept by a worker that has lost its partition; a snapshot restored that is not the last; markers that
  // speak for partitions of others; a feed that two workers run, or none; members that are no longer anybody's.
  it('gives the same bars, scores and signals as one process in a folder, whatever happens to them and the brokers', async context => {
    if (noRecordedDays !== undefined) return context.skip(noRecordedDays);
    // The first signal comes on the fourth day.
    const ground = await openGround(['BTC', 'ETH', 'DOGE'], 4);
    const { differences, backwards, vanished, signals, exitCodes } = await runDisturbed(ground, {
      workers: sizes.workers,
      // A worker more, one killed, one cut off, one frozen, and all brokers gone: what many more seeds did is in README.
      events: plannedEvents(3, 5, sizes),
      driver: 'kafkajs',
      sessionTimeoutMs,
      guarantee: 'at-least-once',
    });
    expect(signals).toBeGreaterThan(0);
    for (const [topic, { lost, wrong, reordered }] of Object.entries(differences)) {
      expect({ topic, lost, wrong, reordered }).toEqual({ topic, lost: 0, wrong: 0, reordered: 0 });
    }
    expect(backwards).toEqual([]);
    expect(vanished).toBe(0);
    expect(exitCodes).toEqual([0, 0, 0]);
  }, 400_000);

  it('is seen to lose something where workers commit before they publish', async context => {
    if (noRecordedDays !== undefined) return context.skip(noRecordedDays);
    const ground = await openGround(['BTC', 'ETH'], 3, 1);
    const { differences } = await runDisturbed(ground, {
      workers: sizes.workers,
      events: [0, 1, 2].map(worker => ({ at: 0.2, event: { kind: 'kill-worker', worker } })),
      driver: 'kafkajs',
      sessionTimeoutMs: 6_000,
      guarantee: 'at-least-once',
      plantedBug: true,
    });
    const lost = Object.values(differences).reduce((sum, each) => sum + each.lost, 0);
    expect(lost).toBeGreaterThan(0);
  }, 400_000);
});

async function openGround(
  symbols: readonly string[],
  days: number,
  brokers = sizes.brokers,
): Promise<ChaosGround> {
  // One line more, for a worker that is added.
  const ground = await ChaosGround.open({
    brokers,
    lines: sizes.workers + 1,
    symbols,
    days,
    partitions: 6,
  });
  onTestFinished(() => ground.close());
  return ground;
}
