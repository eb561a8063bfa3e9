import type { SchedulerLike } from 'rxjs';
import type { TopicPartition } from '../bus/event-bus.ts';
import { steadyNow } from '../core/steady-clock.ts';
import { type Draining, doneBy, settledBy } from './drain.ts';
import type { PipelineProgress } from './pipeline-progress.ts';
import type { StateCommits } from './state-commits.ts';
import type { StoredAttempts } from './stored-attempts.ts';

/** What of a pipeline's run has to do with partitions that go to another member. */
export interface HandoverHost {
  readonly progress: PipelineProgress;
  readonly snapshots: StateCommits;
  readonly attempts: Pick<StoredAttempts, 'write'>;
  readonly scheduler: SchedulerLike;
  /** Deliveries of the pipeline that are not settled, and of them those that wait for data or for a time. */
  readonly waiting: Omit<Draining, 'inFlight'>;
}

/** How long the last attempts may take to be written where the deadline has passed already, ms. */
const lastWriteMs = 250;

/**
 * Finishes what a pipeline has in hand of partitions that are about to go, and stores the state and the attempts that
 * tell of it, so that whoever has them next goes on behind it. Settles when that is done, or so many ms have passed.
 */
export async function handOver(
  { progress, snapshots, attempts, scheduler, waiting }: HandoverHost,
  partitions: readonly TopicPartition[],
  withinMs: number,
): Promise<void> {
  const until = steadyNow(scheduler) + withinMs;
  const inFlight = (): number => progress.inFlightOf(partitions);
  const isCovered = (): boolean =>
    partitions.every(place => {
      const limit = snapshots.limitOf(place.topic, place.partition);
      return limit === undefined || limit >= progress.settledOf(place);
    });
  const end = await settledBy(until, scheduler, { inFlight, ...waiting });
  // One that was being written already may have been begun too early. With messages in hand there is none to be had.
  const again = (done: () => void): void => (isCovered() ? done() : snapshots.takeLast(done));
  if (end !== 'deadline') await doneBy(until, scheduler, done => snapshots.takeLast(() => again(done)));
  await doneBy(until + lastWriteMs, scheduler, done => attempts.write(done));
}
