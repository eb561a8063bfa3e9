import fc from 'fast-check';
import { expect } from 'vitest';
import { type Runtime, deriveId } from '../../src/index.ts';
import { type PipelineDriver, firstOccurrences } from '../../src/testing/index.ts';
import { propertyRuns } from '../property-runs.ts';
import { shouted, words } from './words.ts';

/** Gives a word to one partition, under the partition's key where no other is named. */
export function say(
  driver: PipelineDriver,
  partition: number,
  word: string,
  time: number,
  key: string = `k${partition}`,
): void {
  driver.give(words, word, {
    key,
    timestamp: time,
    partition,
    id: deriveId('test', 'words', key, time, word),
  });
}

/** What was counted, without what came twice and without markers. */
export function counts(driver: PipelineDriver): string[] {
  return firstOccurrences(driver.messages(shouted).filter(({ payload }) => payload !== null)).map(
    ({ payload }) => Buffer.from(payload ?? []).toString(),
  );
}

/** How processes that count come about. */
export interface Members {
  /** How likely it is that time passes, where a word is said with 8 and somebody comes or goes with 3. */
  readonly waitWeight: number;
  readonly start: () => Promise<PipelineDriver>;
  /** One more, on the same bus; `others` are there already. */
  readonly join: (driver: PipelineDriver, others: number) => Promise<Runtime>;
}

/** Words are said while members join, leave and crash at random: each is counted once, and rightly. */
export async function expectExactCounts({ waitWeight, start, join }: Members): Promise<void> {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('say' as const), partition: fc.nat(1) }) },
    {
      weight: waitWeight,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2_500 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const, 'crash' as const) }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      const driver = await start();
      const others: Runtime[] = [];
      const said = [0, 0];
      for (const now of steps) {
        if (now.do === 'say') {
          const n = (said[now.partition] ?? 0) + 1;
          said[now.partition] = n;
          say(driver, now.partition, `w${n}`, n);
        } else if (now.do === 'wait') driver.runFor(now.ms);
        else if (now.do === 'join') others.push(await join(driver, others.length));
        else if (now.do === 'leave') others.shift()?.stop();
        else await driver.restart();
      }
      driver.runFor(3_000);
      const wanted = said.flatMap((n, partition) =>
        Array.from({ length: n }, (_, i) => `k${partition} w${i + 1} ${i + 1}`),
      );
      expect(counts(driver).sort()).toEqual(wanted.sort());
      for (const other of others) other.stop();
    }),
    propertyRuns(60),
  );
}
