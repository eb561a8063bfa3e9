import { EMPTY, asyncScheduler } from 'rxjs';
import { idleMeter } from '../core/meter.ts';
import { stagesOf } from '../core/stage.ts';
import { memoryStateStore } from '../core/state.ts';
import { tableOf } from '../core/table.ts';
import { dropFailures } from '../runtime/failure-policy.ts';
import type { Pipeline } from '../runtime/pipeline.ts';

/** What a pipeline is made of. */
export interface PipelineDescription {
  readonly name: string;
  readonly summary: string;
  readonly inputs: readonly string[];
  readonly tables: readonly string[];
  readonly stages: readonly string[];
  readonly outputs: readonly string[];
}

/** Builds the chain without running it, and looks at what it is made of. */
export function describePipeline({ name, options, build }: Pipeline): PipelineDescription {
  const inputs: string[] = [];
  const tables: string[] = [];
  const outputs: string[] = [];
  const chain$ = build({
    name,
    source: topic => {
      inputs.push(topic.name);
      return EMPTY;
    },
    table: topic => {
      tables.push(topic.name);
      return tableOf(EMPTY);
    },
    publisher: {
      pipeline: name,
      announce: ({ name: topic }) => outputs.push(topic),
      partitionsOf: () => 1,
      send: () => undefined,
    },
    circuitChanged: () => undefined,
    onFailure: () => dropFailures(options.onFailure ?? 'dead-letter'),
    scheduler: asyncScheduler,
    meter: idleMeter,
    state: memoryStateStore(),
  });
  return { name, summary: options.summary ?? '', inputs, tables, stages: stagesOf(chain$), outputs };
}

/** The pipelines that read, directly or through others, what one of them writes; itself first. */
export function withDownstream(
  first: string,
  all: readonly PipelineDescription[],
): readonly PipelineDescription[] {
  const found = all.filter(({ name }) => name === first);
  for (const { outputs } of found) {
    const readers = all.filter(({ inputs, tables }) =>
      [...inputs, ...tables].some(topic => outputs.includes(topic)),
    );
    for (const reader of readers) if (!found.includes(reader)) found.push(reader);
  }
  return found;
}
