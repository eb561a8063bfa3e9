import { hash } from 'node:crypto';
import type { DeadLetter } from '../core/dead-letter.ts';
import { normaliseReason } from './normalise-reason.ts';

/** What letters of one kind have in common. */
export interface LetterKind {
  /** Eight hex digits, the same for the same kind wherever it is seen. */
  readonly id: string;
  readonly pipeline: string;
  readonly stage: string;
  /** The tag of the failure. */
  readonly failure: string;
  /** The reason without what differs from letter to letter. */
  readonly reason: string;
}

/** Letters of one kind, counted. */
export interface LetterGroup extends LetterKind {
  readonly count: number;
  /** The earliest and the latest last failure among them, ms. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The id of one of them. */
  readonly example: string;
}

/** The kind of a letter. */
export function kindOf({ pipeline, stage, failure, reason }: DeadLetter): LetterKind {
  const normal = normaliseReason(reason);
  const id = hash('sha256', JSON.stringify([pipeline, stage, failure, normal]), 'hex').slice(0, 8);
  return { id, pipeline, stage, failure, reason: normal };
}

/** When a letter failed for the last time, ms; of a letter that does not tell, when it was stored. */
export function failedAt({ lastFailureAt, logTime }: DeadLetter): number {
  return lastFailureAt > 0 ? lastFailureAt : logTime;
}

/** One group of two that are of one kind. */
export function joined(a: LetterGroup, b: LetterGroup): LetterGroup {
  return {
    ...a,
    count: a.count + b.count,
    firstAt: Math.min(a.firstAt, b.firstAt),
    lastAt: Math.max(a.lastAt, b.lastAt),
  };
}
