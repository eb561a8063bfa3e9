import type { EventBus } from '../bus/event-bus.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** A question about the data of a run: answered by its process, or from its folder when none runs. */
export type Query = (
  bus: EventBus,
  args: readonly string[],
  runtime: Runtime | undefined,
) => Promise<unknown>;
