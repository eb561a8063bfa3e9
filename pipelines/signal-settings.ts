import * as t from 'io-ts';
import { numberBetween } from './number-codecs.ts';

/** Settings of signals and their notifications; `configs/signals.yaml` holds the defaults. */
export interface SignalSettings {
  /** How far below the entry the stop lies, in ATR of the entry. Default 2. */
  readonly stopAtrs: number;
  /** A score below it ends an open signal. Default 25. */
  readonly exitBelow: number;
  /** An open signal ends after this long. Default 48 hours. */
  readonly timeLimitHours: number;
  /** No entry for this long after an exit, the last moment included. Default 6 hours. */
  readonly coolDownHours: number;
  /** At most one entry of a symbol is notified in any span this long. Default 1 hour. */
  readonly notifyEveryHours: number;
}

const hours = numberBetween(0, 8_760);

export const SignalSettings: t.Type<SignalSettings> = t.type({
  stopAtrs: numberBetween(0.01, 100),
  exitBelow: numberBetween(-100, 100),
  timeLimitHours: hours,
  coolDownHours: hours,
  notifyEveryHours: hours,
});

/** What holds where a configuration says nothing else. */
export const defaultSignalSettings: SignalSettings = {
  stopAtrs: 2,
  exitBelow: 25,
  timeLimitHours: 48,
  coolDownHours: 6,
  notifyEveryHours: 1,
};
