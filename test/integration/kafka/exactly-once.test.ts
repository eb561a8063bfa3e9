import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { runKilledCounting } from '../../chaos/counting-run.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';

const plan = {
  brokers: kafkaBrokers(),
  workers: 3,
  perSecond: 1_000,
} as const;

/** Of a group and a pipeline that nobody else has. */
const nameOf = (): string => `exact-${randomUUID().slice(0, 8)}`;

describeKafka(
  'an exactly-once pipeline whose workers are killed, or sleep for longer than their group waits',
  () => {
    // Kills: offsets read while a transaction may still change them; a changelog read before it is decided; a commit
    // for partitions that have gone to others; what an aborted run still sends.
    it.concurrent.each(drivers)(
      'counts every number once, in the order of its key, on %s',
      { timeout: 300_000 },
      async driver => {
        const report = await runKilledCounting({
          ...plan,
          driver,
          name: nameOf(),
          seed: 1,
          kills: 4,
          freezes: 1,
        });
        const { publishedTwice, lost, duplicated, reordered, miscounted, backwards, exitCodes, said } =
          report;
        expect({ publishedTwice, lost, duplicated, reordered, miscounted, backwards }, said).toEqual({
          publishedTwice: 0,
          lost: 0,
          duplicated: 0,
          reordered: 0,
          miscounted: 0,
          backwards: [],
        });
        expect(report.published).toBeGreaterThan(1_000);
        expect(exitCodes, said).toEqual([0, 0, 0]);
      },
    );

    it.concurrent(
      'is found out where its progress is stored outside of the transaction',
      { timeout: 300_000 },
      async () => {
        const bug = 'progress-outside';
        const { lost } = await runKilledCounting({
          ...plan,
          driver: 'kafkajs',
          name: nameOf(),
          seed: 2,
          perSecond: 500,
          kills: 6,
          freezes: 0,
          bug,
        });
        expect(lost).toBeGreaterThan(0);
      },
    );
  },
);
