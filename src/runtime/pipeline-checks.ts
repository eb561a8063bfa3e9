import type { Observable } from 'rxjs';
import { requireCapability } from '../bus/capabilities.ts';
import type { EventBus } from '../bus/event-bus.ts';
import { reasonOf } from '../core/failure.ts';
import { OptionError, wholeNumber } from '../core/option.ts';
import { BusError } from '../core/publisher.ts';
import { largestGathering } from '../core/stage.ts';
import type { Pipeline, PipelineContext } from './pipeline.ts';
import { defaultMaxInFlight } from '../bus/source-limits.ts';

/** Whether outputs, state and offsets become visible together. */
export function isExact({ options }: Pipeline): boolean {
  return options.guarantee === 'exactly-once';
}

/**
 * @throws OptionError where a pipeline's guarantee is one that it cannot keep
 * @throws BusError `unsupported-capability` where the backend lacks what the pipeline needs
 */
export function checkPipeline(pipeline: Pipeline, bus: EventBus): void {
  const { needs = [], guarantee = 'at-least-once', refuses = {}, standbyBytes } = pipeline.options;
  const who = `pipeline ${pipeline.name}`;
  if (standbyBytes !== undefined) wholeNumber(`${who}: standbyBytes`, standbyBytes, 1);
  const reason = refuses[guarantee];
  if (reason !== undefined) throw new OptionError(`${who}: guarantee`, guarantee, `another: ${reason}`);
  for (const capability of needs) requireCapability(bus, capability, who);
  if (isExact(pipeline)) requireCapability(bus, 'transactions', `${who} (exactly-once)`);
}

/** A pipeline whose chain cannot be made, whatever comes: an operator refuses an option, or its own code throws. */
export class PipelineBuildError extends Error {
  override readonly name = 'PipelineBuildError';
  readonly pipeline: string;

  constructor(pipeline: string, cause: unknown) {
    super(`pipeline ${pipeline} cannot be built: ${reasonOf(cause)}`, { cause });
    this.pipeline = pipeline;
  }
}

/**
 * Builds the chain once before anything runs.
 *
 * @throws PipelineBuildError where that throws
 * @throws OptionError where a batch is larger than what may be in flight, and so would never fill, or would never
 * let go of what it holds for the sake of a commit
 */
export function checkBuild(pipeline: Pipeline, context: () => PipelineContext): void {
  let chain$;
  try {
    chain$ = pipeline.build(context());
  } catch (error) {
    // What it asks of the bus may be there by the time it is started, where it is asked again.
    if (error instanceof BusError) return;
    throw new PipelineBuildError(pipeline.name, error);
  }
  checkBatches(pipeline, chain$);
}

function checkBatches(pipeline: Pipeline, chain$: Observable<unknown>): void {
  const { maxInFlight = defaultMaxInFlight } = pipeline.options;
  const largest = largestGathering(chain$);
  if (largest === undefined) return;
  const option = `pipeline ${pipeline.name}: count of ${largest.stage}`;
  if (isExact(pipeline)) {
    const instead = 'with timeMs too: exactly-once commits wait for what it holds';
    throw new OptionError(option, largest.count, instead);
  }
  if (largest.count <= maxInFlight) return;
  throw new OptionError(option, largest.count, `at most maxInFlight, ${maxInFlight}, or have timeMs too`);
}
