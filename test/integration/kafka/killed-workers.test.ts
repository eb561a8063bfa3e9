import { expect, it, onTestFinished } from 'vitest';
import { startKafka } from '../../brokers/kafka/kafka-cluster.ts';
import { runKilledWorkers } from '../../chaos/killed-workers.ts';
import { noRecordedDays } from '../../chaos/recorded-days.ts';
import { describeOwnKafka } from './kafka-brokers.ts';

describeOwnKafka('the market job spread over three workers', () => {
  // Kills: state kept by a worker that has lost its partition; a snapshot restored that is not the last; markers that
  // speak for partitions of others; a feed that two workers run, or none; a pipeline that commits before it publishes.
  it('gives the same bars, scores and signals as one process in a folder, however often they are killed', async context => {
    if (noRecordedDays !== undefined) return context.skip(noRecordedDays);
    const kafka = await startKafka({ brokers: 3 });
    onTestFinished(() => kafka.stop());
    const { differences, signals, exitCodes } = await runKilledWorkers({
      brokers: kafka.bootstrap,
      seed: 1,
      workers: 3,
      kills: 6,
      symbols: ['BTC', 'ETH', 'SOL', 'DOGE', 'LINK', 'BNB'],
      days: 7,
      sessionTimeoutMs: 10_000,
    });
    expect(signals).toBeGreaterThan(0);
    for (const [topic, { lost, wrong, reordered }] of Object.entries(differences)) {
      expect({ topic, lost, wrong, reordered }).toEqual({ topic, lost: 0, wrong: 0, reordered: 0 });
    }
    expect(exitCodes).toEqual([0, 0, 0]);
  }, 300_000);
});
