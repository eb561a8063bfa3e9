import { setTimeout as wait } from 'node:timers/promises';
import type {
  DriverMember,
  DriverTransactions,
  KafkaDriver,
  PartitionBatch,
  StoreOutcome,
} from '../../src/bus/kafka/driver.ts';
import { withOwn } from '../with-own.ts';

/** How long what is outside is ahead of what is inside, ms: so that kills find it so. */
const aheadMs = 1_000;

/** A planted bug: offsets and state are stored before the transaction that they belong to is committed. */
export function progressOutside(driver: KafkaDriver): KafkaDriver {
  let member: DriverMember | undefined;
  const join: KafkaDriver['join'] = async (...args) => (member = await driver.join(...args));
  const openTransactions: KafkaDriver['openTransactions'] = async (id, options) => {
    const inside = await driver.openTransactions(id, options);
    const outside = await driver.openProducer({ acks: 'all', idempotent: true, compression: 'none' });
    const isState = ({ topic }: PartitionBatch): boolean => topic.endsWith('-changelog');
    return {
      send: async batches => {
        const outcomes = new Map<PartitionBatch, StoreOutcome>();
        for (const [producer, some] of [
          [outside, batches.filter(isState)],
          [inside, batches.filter(batch => !isState(batch))],
        ] as const) {
          const stored = some.length === 0 ? [] : await producer.send(some);
          some.forEach((batch, i) => outcomes.set(batch, stored[i] ?? -1));
        }
        return batches.map(batch => outcomes.get(batch) ?? -1);
      },
      commit: async members => {
        for (const offsets of members) await member?.commit(offsets);
        await wait(aheadMs);
        await inside.commit([]);
      },
      close: async () => {
        await Promise.all([inside.close(), outside.close()]);
      },
      left: [],
    } satisfies DriverTransactions;
  };
  return withOwn(driver, { join, openTransactions });
}
