import { Subject, VirtualTimeScheduler, concatMap, delay, of, throwError } from 'rxjs';
import { expect, it } from 'vitest';
import { each, publishTo } from '../../operators/index.ts';
import { type Delivery, textCodec, topic } from '../../src/index.ts';
import { ok } from '../../src/core/delivery.ts';
import { FakePublisher, SettlementLedger, messageOf } from '../../src/testing/index.ts';

const time = new VirtualTimeScheduler();
const publisher = new FakePublisher({ latencyMs: 10, scheduler: time });

// Kills: a slow call for a message that has been taken back, whose answer changes state that the message changes again.
it.each([
  [
    'a slow handler is done',
    each<string, string>(value$ => value$.pipe(delay(10, time)), { scheduler: time, order: 'none' }),
  ],
  [
    'a slow handler fails',
    each<string, string>(
      value$ =>
        value$.pipe(
          delay(10, time),
          concatMap(value => (value === 'left' ? of(value) : throwError(() => new Error('no')))),
        ),
      { scheduler: time, order: 'none' },
    ),
  ],
  ['it is published', publishTo(topic('out', textCodec), publisher, { scheduler: time })],
])('nothing goes on behind what is taken back before %s', (_, operator) => {
  const ledger = new SettlementLedger(() => time.now());
  const source$ = new Subject<Delivery<string>>();
  const passed: unknown[] = [];
  const running = source$
    .pipe(operator)
    .subscribe(delivery => passed.push(delivery.ok ? delivery.value : delivery.failure.tag));
  for (const name of ['gone', 'left']) source$.next(ok(name, messageOf({ key: name }), ledger.open(name)));
  ledger.takeBack('gone');
  time.flush();
  running.unsubscribe();
  expect(passed).toEqual(['left']);
});
