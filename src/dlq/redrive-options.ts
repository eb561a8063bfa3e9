import type { SchedulerLike } from 'rxjs';
import type { BackoffOptions } from '../core/backoff.ts';
import type { DeadLetter } from '../core/dead-letter.ts';
import type { Bytes } from '../core/message.ts';
import type { RedriveProgress } from './redrive-tally.ts';

/** Edits a letter: the payload to send, `null` for a tombstone, `undefined` to leave the letter where it is. */
export type LetterTransform = (letter: DeadLetter) => Bytes | undefined | Promise<Bytes | undefined>;

/** What a redrive tells the audit log. */
export type RedriveRecord =
  | {
      readonly kind: 'started';
      readonly job: string;
      readonly topic: string;
      readonly selection: string;
      readonly transform: string | undefined;
    }
  | {
      readonly kind: 'edited';
      readonly job: string;
      readonly letter: string;
      readonly redrive: string;
      /** SHA-256 in hex; `null` of a tombstone. */
      readonly oldPayload: string;
      readonly newPayload: string;
    }
  | {
      readonly kind: 'ended';
      readonly job: string;
      readonly outcome: string;
      readonly progress: RedriveProgress;
    };

export interface RedriveOptions {
  /** Where the letters are; default `cryptorun-dlq`. */
  readonly topic?: string;
  /** Send nothing and leave no trace, only count; default false. */
  readonly dryRun?: boolean;
  /** Letters sent per second at most; default: as fast as the bus takes them. */
  readonly ratePerSecond?: number;
  /** Letters sent at most; the same call later goes on behind them. Default: all. */
  readonly limit?: number;
  readonly transform?: LetterTransform;
  /** Tells transforms apart, so that each has a job of its own; default: a hash of the function's text. */
  readonly transformId?: string;
  /** Begin anew instead of going on where the same selection last stopped; default false. */
  readonly again?: boolean;
  /** Ends it in good order: what is sent is committed, and the same call goes on from there. */
  readonly signal?: AbortSignal;
  /** Told what is about to be done, before it is; what it throws ends the redrive. */
  readonly audit?: (record: RedriveRecord) => Promise<void>;
  /** Told after each batch. */
  readonly onProgress?: (progress: RedriveProgress) => void;
  /** Delays between attempts while the bus refuses; default 100 ms, doubling up to 10 s. */
  readonly backoff?: BackoffOptions;
  /** The clock and timers; default RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}
