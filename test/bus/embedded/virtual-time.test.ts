import { concatMap, map, take, timer, toArray } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { embeddedBus } from '../../../src/bus/embedded/embedded.ts';
import { FaultInjector } from '../../../src/bus/embedded/faults.ts';
import { stubBus } from '../../../src/bus/embedded/stub.ts';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { settlement } from '../../../src/core/delivery.ts';
import { defaultTopicSettings } from '../../../src/core/topic.ts';
import { temporaryFolder } from './temporary-bus.ts';

type MakeBus = (scheduler: TestScheduler, faults: FaultInjector) => EventBus;

const kinds: readonly (readonly [string, MakeBus])[] = [
  [
    'stub',
    (scheduler, faults) => stubBus({ scheduler, faults, publishTimeoutMs: 20, maxPartitionBytes: 2000 }),
  ],
  [
    'embedded',
    (scheduler, faults) =>
      embeddedBus({
        dir: temporaryFolder(),
        scheduler,
        faults,
        fsync: 'interval',
        publishTimeoutMs: 20,
        maxPartitionBytes: 2000,
      }),
  ],
];

describe.for(kinds)('the %s bus under a TestScheduler', ([, makeBus]) => {
  interface Virtual {
    readonly bus: EventBus;
    readonly scheduler: TestScheduler;
    readonly faults: FaultInjector;
    readonly helpers: RunHelpers;
  }

  /** Runs marbles with a started bus and a topic `t`; everything in the bus happens before its calls return. */
  function marbles(work: (virtual: Virtual) => void): void {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    const faults = new FaultInjector();
    scheduler.run(helpers => {
      const bus = makeBus(scheduler, faults);
      void bus.start();
      void bus.createTopic({ name: 't', settings: { ...defaultTopicSettings, retentionMs: 60_000 } });
      // The bus's own timers never end: it is stopped before the scheduler would run them for ever.
      scheduler.schedule(() => void bus.stop(), 3000);
      work({ bus, scheduler, faults, helpers });
    });
  }

  const publish = (bus: EventBus, value: string, bytes = 0): void => {
    const payload = Buffer.from(value.padEnd(bytes));
    bus.send({ topic: 't', key: value, payload }, () => undefined);
  };
  const value = (payload: Uint8Array | null): string =>
    Buffer.from(payload ?? [])
      .toString()
      .trim();

  it('delivers in the frame of the publish, and again after the delay of a nack', () => {
    marbles(({ bus, helpers: { cold, expectObservable } }) => {
      cold('-a-b').subscribe(name => publish(bus, name));
      const attempts$ = bus.source('t', { group: 'g' }).pipe(
        map(delivery => {
          const { attempt } = delivery[settlement];
          if (attempt === 1) delivery[settlement].nack(5);
          else delivery[settlement].ack();
          return value(delivery.message.payload) + String(attempt);
        }),
      );
      expectObservable(attempts$).toBe('-a-b--c-d 2991ms |', { a: 'a1', b: 'b1', c: 'a2', d: 'b2' });
    });
  });

  it('waits for room in virtual time, and gives up in virtual time', () => {
    const told: [string, number][] = [];
    marbles(({ bus, scheduler }) => {
      bus.source('t', { group: 'g' }).subscribe();
      const send = (name: string): void =>
        bus.send({ topic: 't', key: name, payload: Buffer.alloc(900) }, error =>
          told.push([error?.code ?? 'stored', scheduler.now()]),
        );
      scheduler.schedule(() => ['a', 'b', 'c'].forEach(send), 10);
    });
    expect(told).toEqual([
      ['stored', 10],
      ['publish-timeout', 30],
      ['publish-timeout', 30],
    ]);
  });

  it('injects delays and disconnections in virtual time', () => {
    marbles(({ bus, scheduler, faults, helpers: { expectObservable } }) => {
      faults.delayNextPublish(7);
      publish(bus, 'a');
      scheduler.schedule(() => {
        faults.disconnect();
        publish(bus, 'b');
      }, 10);
      scheduler.schedule(() => faults.reconnect(), 14);
      const seen$ = bus.source('t').pipe(map(({ message }) => value(message.payload)));
      expectObservable(seen$.pipe(take(2))).toBe('-------a------(b|)');
    });
  });

  it('stamps log times with the scheduler, and is finished by untilEnd in the frame of the last ack', () => {
    marbles(({ bus, helpers: { cold, expectObservable } }) => {
      cold('--a--b').subscribe(name => publish(bus, name));
      const later$ = timer(10).pipe(
        concatMap(() => bus.source('t', { untilEnd: true })),
        concatMap(delivery =>
          timer(4).pipe(
            map(() => {
              delivery[settlement].ack();
              return delivery.message.logTime;
            }),
          ),
        ),
        toArray(),
      );
      expectObservable(later$).toBe('18ms (x|)', { x: [2, 5] });
    });
  });
});
