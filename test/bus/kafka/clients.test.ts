import { describe, expect, it } from 'vitest';
import { kafkaBus } from '../../../src/bus/kafka/kafka.ts';
import { requireCapability } from '../../../src/bus/capabilities.ts';

const on = (driver: 'kafkajs' | 'platformatic'): ReturnType<typeof kafkaBus> =>
  kafkaBus({ brokers: ['127.0.0.1:9092'], driver });

describe('the clients of the Kafka bus', () => {
  it('have transactions with kafkajs', () => {
    const bus = on('kafkajs');

    expect(bus.capabilities.transactions).toBe(true);
    expect(bus.transactions).toBeDefined();
  });

  it('have none with @platformatic/kafka, which is known before the bus is started', () => {
    const bus = on('platformatic');

    expect(bus.transactions).toBeUndefined();
    expect(() => requireCapability(bus, 'transactions', 'counting (exactly-once)')).toThrow(
      expect.objectContaining({ code: 'unsupported-capability' }),
    );
  });
});
