import { take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fanOut } from '../../operators/fan-out.ts';
import { type Delivery, settlement } from '../../src/core/delivery.ts';
import { RecordingMeter, deliveryTest, failureWith } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

operatorContract('fanOut to one', {
  make: () => fanOut((letter: string) => [letter]),
  makeThrowing: (_, error) =>
    fanOut(() => {
      throw error;
    }),
});

describe('fanOut', () => {
  const times = fanOut((n: number) => Array.from({ length: n }, (_, i) => `${n}.${i}`));

  it('acks with the last output, at once where there is none', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries, expectSettled }) => {
      const later = (delivery: Delivery<string>): void => {
        const delay = delivery.ok && delivery.value === '2.1' ? 3 : 1;
        scheduler.schedule(() => delivery[settlement].ack(), delay);
      };
      const out = hot('-a------b-----|', { a: 2, b: 0 }).pipe(times);
      expectDeliveries(out, { settle: later }).toBe('-(xy)---------|', { x: '2.0', y: '2.1' });
      expectSettled({ acked: '----a---b' });
    });
  });

  it('nacks once all are settled where one was nacked, with the longest delay', () => {
    deliveryTest(({ hot, ledger, expectDeliveries, expectSettled, at }) => {
      const delays = [undefined, 20, 5];
      const settle = (delivery: Delivery<string>): void => {
        const delay = delays.shift();
        if (delay === undefined) delivery[settlement].ack();
        else delivery[settlement].nack(delay);
      };
      const out = hot('-a-----|', { a: 3 }).pipe(times);
      expectDeliveries(out, { settle }).toBe('-(xyz)-|', { x: '3.0', y: '3.1', z: '3.2' });
      expectSettled({ nacked: '-a' });
      at(3, () => expect(ledger.settled[0]?.nackDelayMs).toBe(20));
    });
  });

  it('counts what became nothing', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries }) => {
      const none = fanOut<string, string>(() => [], { name: 'none', meter });
      expectDeliveries(hot('-a-b-|').pipe(none)).toBe('-----|');
    });
    expect(meter.count('stream_filtered_total', { stage: 'none' })).toBe(2);
  });

  it('passes outputs on that are undefined', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const out = hot('-a---|').pipe(fanOut(() => [undefined, 1]));
      expectDeliveries(out).toBe('-(ub)|', { u: undefined, b: 1 });
      expectSettled({ acked: '-a' });
    });
  });

  it('does not ack what was unsubscribed from between two outputs', () => {
    deliveryTest(({ cold, expectDeliveries, expectSettled }) => {
      const out = cold('-a--|', { a: 3 }).pipe(times, take(2));
      expectDeliveries(out).toBe('-(xy|)', { x: '3.0', y: '3.1' });
      expectSettled({ takenBack: 'a' });
    });
  });

  it('names its failures', () => {
    deliveryTest(({ hot, scheduler, expectDeliveries }) => {
      const thrower = fanOut<string, string>(
        () => {
          throw new Error('x');
        },
        { name: 'split', scheduler },
      );
      expectDeliveries(hot('--a|').pipe(thrower)).toBe('--F|', {
        F: failureWith('handle', { stage: 'split', reason: 'x', firstAt: 2 }),
      });
    });
  });
});
