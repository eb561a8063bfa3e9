import { decode, publishTo, scanByKey } from '../operators/index.ts';
import { type Pipeline, pipeline } from '../src/index.ts';
import {
  type Notification,
  type NotificationState,
  decodeNotifications,
  encodeNotifications,
  notify,
  seedNotifications,
} from './notification-text.ts';
import { type SignalSettings, defaultSignalSettings } from './signal-settings.ts';
import type { Signal } from './signal-value.ts';
import { stateKey } from './symbol-key.ts';
import { notifications as notificationsTopic, signals } from './topics.ts';

/** A short text per signal; at most one entry a symbol in an hour, exits always. */
export function notifications(settings: SignalSettings = defaultSignalSettings): Pipeline {
  return pipeline(
    'notifications',
    ({ source, publisher, onFailure, state, meter, scheduler }) =>
      source(signals).pipe(
        decode(signals),
        scanByKey<Signal, NotificationState, Notification>(
          (known, signal) => {
            const told = notify(known, signal, settings);
            return told ? [told] : [];
          },
          {
            name: 'notifications',
            key: stateKey,
            seed: seedNotifications,
            codec: { version: '1', encode: encodeNotifications, decode: decodeNotifications },
            state,
          },
        ),
        publishTo(notificationsTopic, publisher, { meter, scheduler, ordinal: ({ signalId }) => signalId }),
        onFailure(),
      ),
    { summary: 'signals in words', watermarkDelayMs: false },
  );
}
