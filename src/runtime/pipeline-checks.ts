import { requireCapability } from '../bus/capabilities.ts';
import type { EventBus } from '../bus/event-bus.ts';
import { OptionError, wholeNumber } from '../core/option.ts';
import { largestGathering } from '../core/stage.ts';
import type { Pipeline, PipelineContext } from './pipeline.ts';
import { defaultMaxInFlight } from './pipeline-run.ts';

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

/**
 * @throws OptionError where a batch is larger than what may be in flight, and so would never fill, or would never
 * let go of what it holds for the sake of a commit
 */
export function checkBatchesOf(pipeline: Pipeline, context: () => PipelineContext): void {
  const { maxInFlight = defaultMaxInFlight } = pipeline.options;
  let largest;
  try {
    largest = largestGathering(pipeline.build(context()));
  } catch {
    // What keeps the chain from being built is told when it is started, and tried again.
    return;
  }
  if (largest === undefined) return;
  const option = `pipeline ${pipeline.name}: count of ${largest.stage}`;
  if (isExact(pipeline)) {
    const instead = 'with timeMs too: exactly-once commits wait for what it holds';
    throw new OptionError(option, largest.count, instead);
  }
  if (largest.count <= maxInFlight) return;
  throw new OptionError(option, largest.count, `at most maxInFlight, ${maxInFlight}, or have timeMs too`);
}
