import { describe, expect, it } from 'vitest';
import { type WindowAggregate, tumblingWindow } from '../../operators/tumbling-window.ts';
import { Marker, isMarker } from '../../src/core/marker.ts';
import { OptionError } from '../../src/core/option.ts';
import { jsonState } from '../../src/core/state.ts';
import { RecordingMeter, deliveryTest, failureWith, given, givenMarker } from '../../src/testing/index.ts';
import { operatorContract } from './operator-contract.ts';

type Value = string | Marker;

const gather: WindowAggregate<string, string[], string> = {
  open: value => [value],
  add: (window, value) => void window.push(value),
  close: (window, end, closedBy, key) =>
    `${key}:${window.join('')}<=${end} by ${isMarker(closedBy) ? closedBy.kind : closedBy}`,
};
const codec = jsonState<string[]>('1', json => json as string[]);

const throwing = (error: Error): WindowAggregate<string, string[], string> => ({
  ...gather,
  open: () => {
    throw error;
  },
});

const at = (timestamp: number, value: string, key = 'k', partition = 0): ReturnType<typeof given<Value>> =>
  given<Value>(value, { timestamp, key, partition });
const mark = (time: number, kind: Marker['kind'] = 'time', partition = 0): ReturnType<typeof givenMarker> =>
  givenMarker(new Marker(kind, time), { partition });

operatorContract('tumblingWindow that each value completes', {
  make: () => tumblingWindow(gather, { sizeMs: 1, codec, completes: () => true }),
  makeThrowing: (_, error) => tumblingWindow(throwing(error), { sizeMs: 1, codec }),
  inputs: { a: at(1, 'a', 'a'), b: at(2, 'b', 'b'), c: at(3, 'c', 'c') },
  outputs: { a: 'a:a<=1 by a', b: 'b:b<=2 by b', c: 'c:c<=3 by c' },
});

describe('tumblingWindow', () => {
  it('holds start < time <= end, and is closed by a later value of its own key only', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Value>('-a-b-c-d-e|', {
        a: at(1, 'a'),
        b: at(3, 'b'),
        c: at(9, 'c', 'other'),
        d: at(4, 'd'),
        e: at(6, 'e'),
      });
      const out = source.pipe(tumblingWindow(gather, { sizeMs: 3, codec }));
      expectDeliveries(out).toBe('-------X--|', { X: 'k:ab<=3 by d' });
      expectSettled({ acked: '-a-b-c-d-e' });
    });
  });

  it('is closed by a marker past its end, in every key of its partition', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Value>('-a-b-c-m-n---|', {
        a: at(1, 'a'),
        b: at(2, 'b', 'l'),
        c: at(2, 'c', 'k', 1),
        m: mark(3),
        n: mark(4),
      });
      const out = source.pipe(tumblingWindow(gather, { sizeMs: 3, codec }));
      expectDeliveries(out).toBe('---------(xy)|', {
        x: 'k:a<=3 by time',
        y: 'l:b<=3 by time',
      });
      expectSettled({ acked: '-a-b-c-m-n' });
    });
  });

  it('waits for its lateness, and counts and acks what comes after', () => {
    const meter = new RecordingMeter();
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Value>('-a-b-c-d-e|', {
        a: at(1, 'a'),
        b: at(5, 'b'),
        c: at(2, 'c'),
        d: at(6, 'd'),
        e: at(3, 'e'),
      });
      const out = source.pipe(
        tumblingWindow(gather, { sizeMs: 3, latenessMs: 2, codec, meter, name: 'bars' }),
      );
      expectDeliveries(out).toBe('-------X--|', { X: 'k:ac<=3 by d' });
      expectSettled({ acked: '-a-b-c-d-e' });
    });
    expect(meter.count('stream_late_total', { stage: 'bars' })).toBe(1);
  });

  it('closes windows of a key in order, all of them with an end marker, none with an absent one', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot<Value>('-a-b-n-m---|', {
        a: at(4, 'a'),
        b: at(2, 'b'),
        n: mark(0, 'absent'),
        m: mark(0, 'end'),
      });
      const out = source.pipe(tumblingWindow(gather, { sizeMs: 3, latenessMs: 100, codec }));
      expectDeliveries(out).toBe('-------(xy)|', { x: 'k:b<=3 by end', y: 'k:a<=6 by end' });
    });
  });

  it('takes time and key from the functions where there are any', () => {
    deliveryTest(({ hot, expectDeliveries }) => {
      const source = hot<Value>('-a-b|', { a: at(0, '2x'), b: at(0, '9x') });
      const options = {
        sizeMs: 3,
        codec,
        time: (value: string) => Number(value[0]),
        key: (value: string) => value.slice(1),
      };
      expectDeliveries(source.pipe(tumblingWindow(gather, options))).toBe('---X|', { X: 'x:2x<=3 by 9x' });
    });
  });

  it('makes a failure of what the functions throw, and goes on', () => {
    deliveryTest(({ hot, expectDeliveries, expectSettled }) => {
      const source = hot<Value>('-a-b|', { a: at(1, 'a'), b: at(4, 'b') });
      const closing = {
        ...gather,
        close: (): string => {
          throw new Error('cannot close');
        },
      };
      expectDeliveries(source.pipe(tumblingWindow(closing, { sizeMs: 3, codec, name: 'bars' }))).toBe(
        '---F|',
        {
          F: failureWith('handle', { stage: 'bars', reason: 'cannot close' }),
        },
      );
      expectSettled({ acked: '-a', nacked: '---b' });
    });
  });

  it('refuses a size or lateness out of range when it is made', () => {
    expect(() => tumblingWindow(gather, { sizeMs: 0, codec })).toThrow(OptionError);
    expect(() => tumblingWindow(gather, { sizeMs: 1, latenessMs: -1, codec })).toThrow(OptionError);
  });
});
