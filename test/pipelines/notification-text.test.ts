import { describe, expect, it } from 'vitest';
import { evaluateGates } from '../../pipelines/gate-rules.ts';
import { defaultGateSettings } from '../../pipelines/gate-settings.ts';
import {
  Notification,
  decodeNotifications,
  encodeNotifications,
  notificationOf,
  notify,
  seedNotifications,
} from '../../pipelines/notification-text.ts';
import { onScore, seedSignals } from '../../pipelines/signal-rules.ts';
import { defaultSignalSettings as settings } from '../../pipelines/signal-settings.ts';
import type { Signal } from '../../pipelines/signal-value.ts';
import { hour, minute, start } from './bars-at-hand.ts';
import { liquid, score } from './scores-at-hand.ts';

const state = seedSignals();
const signals = [score(), score({ time: start + hour, score: 12.34, price: 98.5 })].flatMap(s =>
  onScore(state, s, evaluateGates(s, liquid, defaultGateSettings), settings, kind => `${kind}-1`),
);
const [entry, exit] = signals as [Signal, Signal];
const later = (signal: Signal, ms: number): Signal => ({ ...signal, time: signal.time + ms });

describe('notificationOf', () => {
  it('says an entry with its reasons', () => {
    expect(notificationOf(entry).text).toBe(
      [
        'Entry ADA-USDT at binance, 2021-04-02T00:00:00.000Z: 100, score 80 (choppy), stop 98',
        '- up 10 % in 12 hours, 3 times its usual range (adds 0.75)',
        '- up 4 % in 4 hours, 2 times its usual range (adds 0.7)',
        '- up 10 % in 24 hours, 2 times its usual range (adds 0.3)',
      ].join('\n'),
    );
  });

  it('says an exit with its reason', () => {
    const notification = notificationOf(exit);
    expect(notification.text).toBe(
      [
        'Exit ADA-USDT at binance, 2021-04-02T01:00:00.000Z: 98.5, -1.5 % since 100 (momentum lost)',
        '- the score fell to 12.3, below 25',
      ].join('\n'),
    );
    expect(notification.signalId).toBe('exit-1');
    expect(Notification.is(JSON.parse(JSON.stringify(notification)))).toBe(true);
  });
});

describe('notify', () => {
  it('tells at most one entry in any sliding hour, counted from the last one told', () => {
    const told = seedNotifications();
    const times = [0, minute, 59 * minute, hour, hour + minute, 2 * hour, 2 * hour + minute];
    const made = times.map(ms => notify(told, later(entry, ms), settings) !== undefined);
    expect(made).toEqual([true, false, false, true, false, true, false]);
  });

  it('tells every exit', () => {
    const told = seedNotifications();
    notify(told, entry, settings);
    expect([0, 1, 2].map(ms => notify(told, later(exit, ms), settings)?.kind)).toEqual([
      'exit',
      'exit',
      'exit',
    ]);
  });

  it('remembers over storage', () => {
    const told = seedNotifications();
    notify(told, entry, settings);
    const restored = decodeNotifications(JSON.parse(JSON.stringify(encodeNotifications(told))));
    expect(notify(restored, later(entry, hour - 1), settings)).toBeUndefined();
    expect(notify(restored, later(entry, hour), settings)).toBeDefined();
    expect(() => decodeNotifications([])).toThrow('notification state is refused');
  });
});
