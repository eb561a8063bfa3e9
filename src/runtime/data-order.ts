import type { RunningPipeline } from './running-pipeline.ts';

/** Upstream first: no pipeline before those that publish to its inputs; a circle keeps its order. */
export function inDataOrder<P extends Pick<RunningPipeline, 'topics'>>(pipelines: readonly P[]): P[] {
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
