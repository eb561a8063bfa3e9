import { BusError } from '../core/publisher.ts';

/** What a backend can do beyond the contract; a pipeline that needs one it lacks fails at start. */
export interface Capabilities {
  /** Outputs and consumed offsets become visible together. */
  readonly transactions: boolean;
  /** A group can begin at any offset or time. */
  readonly seek: boolean;
  readonly compaction: boolean;
  /** A nacked message can wait before it comes again. */
  readonly delayedRedelivery: boolean;
  /** Messages outlive the process. */
  readonly durable: boolean;
  /** Members of one group may live in several processes. */
  readonly multiProcess: boolean;
}

export type Capability = keyof Capabilities;

/** @throws BusError `unsupported-capability` naming what is lacking, who needs it, and what to do */
export function requireCapability(
  bus: { readonly kind: string; readonly capabilities: Capabilities },
  capability: Capability,
  needer: string,
): void {
  if (bus.capabilities[capability]) return;
  throw new BusError(
    'unsupported-capability',
    `${needer} needs ${capability}, which the ${bus.kind} backend lacks: choose another backend or driver, or change ${needer}`,
  );
}
