import type { PipelineTotal } from '../../supervisor/pipeline-totals.ts';
import type { WorkerReport } from '../../supervisor/worker-status.ts';
import type { LiveState } from './live-state.ts';

/** Everything that the view of several workers shows: plain data, filled by who supervises them. */
export interface FleetState extends Pick<LiveState, 'title' | 'elapsedMs' | 'problems' | 'explainCommand'> {
  readonly phase: 'live' | 'draining' | 'done' | 'failed';
  /** What everybody can read of the market; undefined where workers have it to themselves. */
  readonly market: Pick<LiveState, 'regime' | 'signals' | 'tallies'> | undefined;
  readonly workers: readonly WorkerReport[];
  readonly pipelines: readonly PipelineTotal[];
  /** Where health and metrics of all are to be had; undefined before they are. */
  readonly url: string | undefined;
  /** The file of what workers write. */
  readonly log: string;
}
