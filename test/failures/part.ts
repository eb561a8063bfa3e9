import type { OperatorFunction } from 'rxjs';
import type { Delivery, PipelineContext } from '../../src/index.ts';
import type { Call } from './handler.ts';

export type Text = OperatorFunction<Delivery<string>, Delivery<string>>;

/** What the parts of a chain are made with. */
export interface ChainTools extends PipelineContext {
  readonly called: (call: Call) => void;
}

/** A part of a random chain, and what it promises. */
export interface Part {
  readonly text: string;
  /** Values of a key leave in the order in which they came, unless it is said that they do not. */
  readonly keepsOrder?: false;
  /** Whether a message passes hangs on what else there is, or on the time: when it comes again it may fare otherwise. */
  readonly isByChance?: true;
  /** What has failed takes others with it, which may have passed. */
  readonly takesOthers?: true;
}

/** One step of the chain. */
export interface Step extends Part {
  readonly make: (tools: ChainTools) => Text;
}

/** What may stand around the step that tries. */
export interface Around extends Part {
  readonly around: (section: Text, tools: ChainTools) => Text;
}

/** The step that calls the handler. */
export interface Trying extends Step {
  /** How often a message is tried before it has failed for good. */
  readonly attempts: number;
  /** Attempts are counted on where they were after a restart. */
  readonly remembers?: true;
}

/** The promises of a part whose bound is met now and then, or hardly ever. */
export function bounded(bound: number): Pick<Part, 'isByChance'> {
  return bound < 10 ? { isByChance: true } : {};
}
