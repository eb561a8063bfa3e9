import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { busConformance, skipReason } from '../../../src/testing/conformance.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';

describeKafka('the kafka bus', () => {
  describe.each(drivers)('on driver %s', driver => {
    const makeBus = (): ReturnType<typeof kafkaBus> =>
      kafkaBus({
        brokers: kafkaBrokers(),
        driver,
        consuming: { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 100 },
      });

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
});
