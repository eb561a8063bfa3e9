import * as t from 'io-ts';
import { GateResult } from './gate-evaluation.ts';
import { MomentumPart } from './momentum-parts.ts';
import { RegimeLabel } from './regime-label.ts';

interface SignalBase {
  readonly id: string;
  readonly venue: string;
  readonly symbol: string;
  readonly direction: 'long';
  /** Event time, ms: the score's. */
  readonly time: number;
  /** P at that time. */
  readonly price: number;
  readonly score: number;
  readonly regime: RegimeLabel;
  /** In words. */
  readonly reasons: readonly string[];
}

/** A symbol starts to move: go long. */
export interface EntrySignal extends SignalBase {
  readonly kind: 'entry';
  /** A low at or below it ends the signal. */
  readonly stopPrice: number;
  readonly gates: readonly GateResult[];
  readonly parts: readonly MomentumPart[];
}

/** Why a signal ended. */
export type ExitReason = 'stop' | 'momentum lost' | 'time limit';

/** The move is over. */
export interface ExitSignal extends SignalBase {
  readonly kind: 'exit';
  readonly exitReason: ExitReason;
  /** The id of the entry that it ends. */
  readonly entryId: string;
  readonly entryTime: number;
  readonly entryPrice: number;
  /** `price / entryPrice - 1`, a share. */
  readonly return: number;
}

/** An entry or an exit. */
export type Signal = EntrySignal | ExitSignal;

const base = t.type({
  id: t.string,
  venue: t.string,
  symbol: t.string,
  direction: t.literal('long'),
  time: t.number,
  price: t.number,
  score: t.number,
  regime: RegimeLabel,
  reasons: t.readonlyArray(t.string),
});

export const EntrySignal: t.Type<EntrySignal> = t.intersection([
  base,
  t.type({
    kind: t.literal('entry'),
    stopPrice: t.number,
    gates: t.readonlyArray(GateResult),
    parts: t.readonlyArray(MomentumPart),
  }),
]);

export const ExitSignal: t.Type<ExitSignal> = t.intersection([
  base,
  t.type({
    kind: t.literal('exit'),
    exitReason: t.keyof({ stop: null, 'momentum lost': null, 'time limit': null }),
    entryId: t.string,
    entryTime: t.number,
    entryPrice: t.number,
    return: t.number,
  }),
]);

export const Signal: t.Type<Signal> = t.union([EntrySignal, ExitSignal]);
