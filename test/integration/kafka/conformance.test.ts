import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { busConformance, skipReason } from '../../../src/testing/conformance.ts';
import { describeKafka, kafkaBrokers } from './kafka-brokers.ts';

const makeBus = (): ReturnType<typeof kafkaBus> =>
  kafkaBus({ brokers: kafkaBrokers(), consuming: { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 100 } });

describeKafka('the kafka bus', () => {
  for (const conformance of busConformance) {
    it(conformance.name, async context => {
      const reason = skipReason(conformance, makeBus().capabilities);
      if (reason !== undefined) return context.skip(reason);
      await conformance.run({
        createBus: makeBus,
        passTime: ms => setTimeout(ms),
        prefix: `${randomUUID().slice(0, 8)}-`,
      });
      expect.assertions(0);
    });
  }
});
