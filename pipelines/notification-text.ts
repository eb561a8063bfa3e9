import * as t from 'io-ts';
import { decodeState } from '../src/index.ts';
import { hourMs } from './bar-window.ts';
import { numberOrNull } from './number-codecs.ts';
import { inWords, percentInWords, priceInWords } from './number-words.ts';
import type { SignalSettings } from './signal-settings.ts';
import type { Signal } from './signal-value.ts';
import { encodeState } from './state-json.ts';

/** A signal as it is told to people. */
export interface Notification {
  readonly venue: string;
  readonly symbol: string;
  readonly kind: Signal['kind'];
  /** Event time, ms: the signal's. */
  readonly time: number;
  readonly signalId: string;
  /** One line, without the reasons. */
  readonly title: string;
  /** The title and its reasons, one a line. */
  readonly text: string;
  readonly reasons: readonly string[];
}

export const Notification: t.Type<Notification> = t.type({
  venue: t.string,
  symbol: t.string,
  kind: t.keyof({ entry: null, exit: null }),
  time: t.number,
  signalId: t.string,
  title: t.string,
  text: t.string,
  reasons: t.readonlyArray(t.string),
});

function titleOf(signal: Signal): string {
  const where = `${signal.symbol} at ${signal.venue}, ${new Date(signal.time).toISOString()}`;
  const price = priceInWords(signal.price);
  if (signal.kind === 'entry') {
    return `Entry ${where}: ${price}, score ${inWords(signal.score, 1)} (${signal.regime}), stop ${priceInWords(signal.stopPrice)}`;
  }
  const change = `${signal.return < 0 ? '' : '+'}${percentInWords(signal.return)}`;
  return `Exit ${where}: ${price}, ${change} since ${priceInWords(signal.entryPrice)} (${signal.exitReason})`;
}

/** Says a signal in words. */
export function notificationOf(signal: Signal): Notification {
  const { venue, symbol, kind, time, id: signalId, reasons } = signal;
  const title = titleOf(signal);
  const text = [title, ...reasons.map(reason => `- ${reason}`)].join('\n');
  return { venue, symbol, kind, time, signalId, title, text, reasons };
}

/** What notifications remember of one symbol at one venue; JSON-safe. */
export interface NotificationState {
  /** Event time, ms, of the last entry that was told. */
  entryTime: number | null;
}

const NotificationStateCodec: t.Type<NotificationState> = t.type({ entryTime: numberOrNull });

/** Nothing told yet. */
export function seedNotifications(): NotificationState {
  return { entryTime: null };
}

/**
 * The notification of a signal: exits always, entries at most one in any sliding hour of event time
 * (the next one is told when exactly an hour has passed). Changes the state in place.
 */
export function notify(
  state: NotificationState,
  signal: Signal,
  settings: SignalSettings,
): Notification | undefined {
  if (signal.kind === 'exit') return notificationOf(signal);
  const since = state.entryTime === null ? Infinity : signal.time - state.entryTime;
  if (since < settings.notifyEveryHours * hourMs) return undefined;
  state.entryTime = signal.time;
  return notificationOf(signal);
}

/** The JSON-safe form of a notification state. */
export function encodeNotifications(state: NotificationState): unknown {
  return encodeState(NotificationStateCodec, state);
}

/**
 * The live state of what {@link encodeNotifications} made.
 *
 * @throws StateRefused where it has another shape.
 */
export function decodeNotifications(json: unknown): NotificationState {
  return decodeState('notification', NotificationStateCodec, json);
}
