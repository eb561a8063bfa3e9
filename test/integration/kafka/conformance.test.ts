import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { busConformance, skipReason } from '../../../src/testing/conformance.ts';
import { describeKafka, drivers, kafkaBrokers } from './kafka-brokers.ts';

describeKafka('the kafka bus', () => {
  // Most of it waits for brokers: the drivers need not wait for each other.
  describe.concurrent.each(drivers)('on driver %s', driver => {
    const makeBus = (): ReturnType<typeof kafkaBus> =>
      kafkaBus({
        brokers: kafkaBrokers(),
        driver,
        consuming: { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 100 },
      });

    for (const conformance of busConformance) {
      it(conformance.name, { concurrent: false }, async context => {
        const reason = skipReason(conformance, makeBus().capabilities);
        if (reason !== undefined) return context.skip(reason);
        await conformance.run({
          createBus: makeBus,
          passTime: ms => setTimeout(ms),
          prefix: `${randomUUID().slice(0, 8)}-`,
        });
        context.expect.assertions(0);
      });
    }
  });
});
