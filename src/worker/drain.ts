import { type SchedulerLike, Subscription } from 'rxjs';
import type { RunningPipeline } from '../runtime/running-pipeline.ts';

/** What a pipeline is given past the deadline to write its state down. */
const graceMs = 2_000;

type Drainable = Pick<RunningPipeline, 'pipeline' | 'topics' | 'drain' | 'stop' | 'status'>;

/** Upstream first: no pipeline before those that publish to its inputs; a circle keeps its order. */
export function inDataOrder<P extends Pick<Drainable, 'topics'>>(pipelines: readonly P[]): P[] {
  const ordered: P[] = [];
  const visiting = new Set<P>();
  const visit = (pipeline: P): void => {
    if (visiting.has(pipeline)) return;
    visiting.add(pipeline);
    for (const other of pipelines) {
      if ([...other.topics.outputs].some(topic => pipeline.topics.inputs.has(topic))) visit(other);
    }
    ordered.push(pipeline);
  };
  pipelines.forEach(visit);
  return ordered;
}

/**
 * Ends pipelines in the order of the data within a deadline: each takes no more messages, finishes what it has
 * begun, and commits.
 *
 * @returns the names of those that had not finished when the deadline had passed; what they had begun comes
 *   again at the next start
 */
export async function drainAll(
  pipelines: readonly Drainable[],
  deadlineMs: number,
  scheduler: SchedulerLike,
): Promise<readonly string[]> {
  const until = scheduler.now() + deadlineMs;
  const unfinished: string[] = [];
  for (const running of inDataOrder(pipelines)) {
    const leftMs = Math.max(0, until - scheduler.now());
    const hadBegun = running.status(() => 0).inFlight > 0;
    const inTime = await within(running.drain(leftMs), leftMs + graceMs, scheduler);
    if (!inTime) running.stop();
    if (!inTime || (hadBegun && scheduler.now() >= until)) unfinished.push(running.pipeline.name);
  }
  return unfinished;
}

/** Whether something settles within so many ms; it is waited for no longer. */
export function within(done: Promise<unknown>, ms: number, scheduler: SchedulerLike): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = new Subscription();
    timer.add(scheduler.schedule(() => resolve(false), ms));
    done.then(() => resolve(true), reject).finally(() => timer.unsubscribe());
  });
}
