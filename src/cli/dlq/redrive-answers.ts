import * as t from 'io-ts';
import type { LetterSelection } from '../../dlq/letter-selection.ts';
import type { RedriveProgress, RedriveReport } from '../../dlq/redrive-tally.ts';
import { Group } from './letter-answers.ts';
import { Selection } from './selection.ts';

/** Asks for a redrive. */
export interface RedriveRequest {
  readonly topic: string;
  readonly selection: LetterSelection;
  readonly dryRun: boolean;
  readonly again: boolean;
  /** Whether it lets out of quarantine. */
  readonly isRelease: boolean;
  /** Who asks, for the audit log. */
  readonly by: string;
  readonly ratePerSecond?: number;
  readonly limit?: number;
  /** Who asks edits the letters, by a module of this hash; without it they go as they are. */
  readonly transformId?: string;
}

export const RedriveRequest: t.Type<RedriveRequest> = t.intersection(
  [
    t.type({
      topic: t.string,
      selection: Selection,
      dryRun: t.boolean,
      again: t.boolean,
      isRelease: t.boolean,
      by: t.string,
    }),
    t.partial({ ratePerSecond: t.number, limit: t.number, transformId: t.string }),
  ],
  'RedriveRequest',
);

const Progress: t.Type<RedriveProgress> = t.type({
  job: t.string,
  before: t.number,
  total: t.number,
  looked: t.number,
  matched: t.number,
  sent: t.number,
  edited: t.number,
  skipped: t.type({ 'edited away': t.number, 'in quarantine': t.number, 'never a message': t.number }),
  failed: t.number,
  failures: t.readonlyArray(t.type({ id: t.string, reason: t.string })),
});

const Report: t.Type<RedriveReport> = t.intersection([
  Progress,
  t.type({
    outcome: t.keyof({ done: null, stopped: null, limit: null }),
    groups: t.readonlyArray(Group),
  }),
]);

/** Where a redrive stands: it has a report once it has ended, or a problem where it could not go on. */
export interface RedriveStatus {
  readonly job: string;
  /** Whether it was running already when it was asked for. */
  readonly joined?: boolean;
  readonly progress?: RedriveProgress;
  readonly report?: RedriveReport;
  readonly problem?: string;
}

export const RedriveStatus: t.Type<RedriveStatus> = t.intersection([
  t.type({ job: t.string }),
  t.partial({ joined: t.boolean, progress: Progress, report: Report, problem: t.string }),
]);
