import { describe, expect, it } from 'vitest';
import { batch } from '../../operators/batch.ts';
import { unbatch } from '../../operators/unbatch.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { RecordingMeter, deliveryTest } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('unbatch', {
  make: () => unbatch<string>(),
  inputs: { a: ['a'], b: ['b'], c: ['c'] },
  outputs: { a: 'a', b: 'b', c: 'c' },
});

describe('unbatch', () => {
  it('acks a list with its last element, an empty one at once and counted', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const out = hot<readonly number[]>('-a---b-|', { a: [1, 2], b: [] }).pipe(unbatch({ meter }));
      expectDeliveries(out).toBe('-(xy)--|', { x: 1, y: 2 });
      expectSettled({ acked: '-a---b' });
    });
    expect(meter.count('stream_filtered_total', { stage: 'unbatch' })).toBe(1);
  });

  it('after batch settles each member with the last element of the batch', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const later = (delivery: Delivery<string>): void => {
        scheduler.schedule(
          () =>
            delivery.ok && delivery.value === 'b' ? delivery[settlement].nack() : delivery[settlement].ack(),
          2,
        );
      };
      const out = hot('-a-b-c-------|').pipe(batch({ count: 2 }), unbatch());
      expectDeliveries(out, { settle: later }).toBe('---(ab)------(c|)');
      // The list that holds `b` is nacked as a whole.
      expectSettled({ nacked: '-----(ab)', acked: '---------------c' });
    });
  });
});
