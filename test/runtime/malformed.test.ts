import { describe, expect, it } from 'vitest';
import * as t from 'io-ts';
import { circuitBreaker, decode, mapValues, publishTo, retryWithBackoff } from '../../operators/index.ts';
import { type Pipeline, jsonCodec, pipeline, topic } from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';
import { deadLetters, shouted } from './words.ts';

const Order = t.type({ amount: t.number });
const orders = topic('orders', jsonCodec(Order, { name: 'Order' }));

/** Decodes before the circuit breaker or inside of it, and counts what its handler is called with. */
function paying(calls: number[], decodes: 'before' | 'inside'): Pipeline {
  return pipeline('payments', ({ source, publisher, scheduler, meter, onFailure, circuitChanged }) => {
    const pay = retryWithBackoff(
      ({ amount }: t.TypeOf<typeof Order>) => {
        calls.push(amount);
        return String(amount);
      },
      { scheduler, meter },
    );
    const guard = { name: 'circuit', onChange: circuitChanged, scheduler, meter };
    const guarded =
      decodes === 'before'
        ? source(orders).pipe(decode(orders, { scheduler }), circuitBreaker(pay, guard))
        : source(orders).pipe(
            circuitBreaker(bytes$ => bytes$.pipe(decode(orders, { scheduler }), pay), guard),
          );
    return guarded.pipe(mapValues(String), publishTo(shouted, publisher, { scheduler }), onFailure());
  });
}

describe('a payload that is not what the codec expects', () => {
  it.each(['before', 'inside'] as const)(
    'is a dead letter at once, never handled, and opens no circuit, decoded %s it',
    async where => {
      const calls: number[] = [];
      const driver = await PipelineDriver.start({
        topics: { orders: {}, shouted: {}, [deadLetters.name]: {} },
        pipelines: () => [paying(calls, where)],
      });
      const bad = ['nonsense', '{"amount":"1"}', '[]', '{}', '{"amount":null}', '{"amount"', ''];
      driver.give(orders, { amount: 1 });
      const headers = { 'schema-version': '7' };
      for (const text of bad) driver.giveBytes(orders, Buffer.from(text), { headers });
      driver.give(orders, { amount: 2 });
      const sentAt = driver.scheduler.now();
      driver.runFor(1);

      expect(driver.values(shouted)).toEqual(['1', '2']);
      const letters = driver.messages(deadLetters);
      expect(letters.map(({ payload }) => String(payload))).toEqual(bad);
      for (const { headers } of letters) {
        expect(headers.get('x-dlq-failure')).toBe('decode');
        expect(headers.get('x-dlq-stage')).toBe('decode');
        expect(headers.get('x-dlq-attempts')).toBe('1');
        expect(headers.get('x-dlq-schema-version')).toBe('7');
        expect(headers.get('x-dlq-last-failure-time')).toBe(String(sentAt));
        expect(headers.get('x-dlq-reason')).toMatch(/not JSON|Order/);
      }
      // Whatever time goes by, nothing is tried again.
      driver.runFor(600_000);
      expect(calls).toEqual([1, 2]);
      const status = await driver.status('payments');
      expect(status).toMatchObject({ deadLettered: bad.length, retried: 0, lag: 0, problem: undefined });
      expect([status.circuitOpenings, status.circuits.size]).toEqual([0, 0]);
    },
  );
});
