import type { Regime } from '../../../pipelines/regime-value.ts';
import type { Signal } from '../../../pipelines/signal-value.ts';
import type { PipelineStatus } from '../../runtime/pipeline-status.ts';

/**
 * `history`: a finite feed is read as fast as it goes; `live`: the feed goes with the clock; `draining`: no
 * more is read, what is in flight is finished; `done`: all of it is; `stopped`: so it is, of a finite feed that was not
 * read to its end.
 */
export type LivePhase = 'history' | 'live' | 'draining' | 'done' | 'stopped';

/** How far the feed is. */
export interface FeedProgress {
  readonly name: string;
  /** Share of a finite feed that was read, 0 to 1; undefined where it has no end. */
  readonly progress: number | undefined;
  /** Items read since the start. */
  readonly items: number;
  /** Items per second over the last seconds. */
  readonly perSecond: number | undefined;
  /** Until a finite feed ends, ms. */
  readonly timeLeftMs: number | undefined;
  /** Event time of the newest item, ms. */
  readonly eventTime: number | undefined;
}

/** A pipeline and its speed. */
export interface PipelineView {
  readonly status: PipelineStatus;
  /** Messages per second over the last seconds. */
  readonly inPerSecond: number | undefined;
  readonly outPerSecond: number | undefined;
  /** How far its watermark is behind the feed's event time, ms of event time. */
  readonly lagMs: number | undefined;
}

/** How far one symbol at one venue is from its first score. */
export interface WarmUpView {
  readonly venue: string;
  readonly symbol: string;
  /** Known and needed inputs; warm once they are equal. */
  readonly known: number;
  readonly needed: number;
  /** Names of the unknown ones: `R_24h`, `ATR`, ... */
  readonly missing: readonly string[];
  /** 0 to 1. */
  readonly progress: number;
}

/** How many signals a symbol at a venue gave. */
export interface SignalTally {
  readonly venue: string;
  readonly symbol: string;
  readonly entries: number;
  readonly exits: number;
}

/** How often messages were given up for one reason. */
export interface DeadLetterTally {
  /** In words. */
  readonly reason: string;
  readonly count: number;
}

/** What went wrong since the start. */
export interface LossCounts {
  readonly malformed: number;
  readonly deadLetters: number;
  /** Those among them of messages that the feed could not bring in; the others are of pipelines. */
  readonly feedDeadLetters: number;
  /** Updates that came after their bar was closed. */
  readonly late: number;
}

/** Everything the view shows: plain data, filled by who runs the pipelines. */
export interface LiveState {
  readonly phase: LivePhase;
  /** What runs: the bundle and its backend, in few words. */
  readonly title: string;
  /** The clock, ms. */
  readonly now: number;
  /** Since the start, ms by the clock. */
  readonly elapsedMs: number;
  readonly feed: FeedProgress;
  readonly pipelines: readonly PipelineView[];
  readonly warmUps: readonly WarmUpView[];
  readonly regime: Regime | undefined;
  /** The last ones, newest first. */
  readonly signals: readonly Signal[];
  /** Over all signals since the start. */
  readonly tallies: readonly SignalTally[];
  readonly counts: LossCounts;
  readonly deadLetters: readonly DeadLetterTally[];
  /** What is wrong now, in words. */
  readonly problems: readonly string[];
  /** Where the data is kept; undefined where it is in memory only. */
  readonly directory: string | undefined;
  /** The command that explains a signal, without its id: `cryptorun explain`. */
  readonly explainCommand: string;
}

/** Whether nothing more will come. */
export function isOver(phase: LivePhase): boolean {
  return phase === 'done' || phase === 'stopped';
}

/** Whether a symbol gives scores. */
export function isWarm({ known, needed }: WarmUpView): boolean {
  return known >= needed;
}

/** How often circuits have opened since the start. */
export function circuitOpenings({ pipelines }: Pick<LiveState, 'pipelines'>): number {
  return pipelines.reduce((sum, { status }) => sum + status.circuitOpenings, 0);
}

/** Entries and exits since the start. */
export function signalTotals(state: Pick<LiveState, 'tallies'>): {
  readonly entries: number;
  readonly exits: number;
} {
  return {
    entries: state.tallies.reduce((sum, tally) => sum + tally.entries, 0),
    exits: state.tallies.reduce((sum, tally) => sum + tally.exits, 0),
  };
}
