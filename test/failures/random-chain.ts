import fc from 'fast-check';
import { arounds } from './around.ts';
import type { ChainTools, Text } from './part.ts';
import { stepsBefore, stepsBehind } from './steps.ts';
import { trying } from './trying.ts';

/** A random chain, and what the reference must know of it. */
export interface FailingChain {
  readonly text: string;
  /** How often a message is tried before it has failed for good. */
  readonly attempts: number;
  /** Attempts are counted on where they were after a restart. */
  readonly remembers: boolean;
  /** Values of a key come out in the order in which they came in. */
  readonly keepsOrder: boolean;
  /** Whether a message passes hangs on more than its fate. */
  readonly isByChance: boolean;
  /** What has failed takes others with it, which may have passed. */
  readonly takesOthers: boolean;
  readonly maxInFlight: number;
  /** This dead letter of a message puts it into quarantine. */
  readonly quarantineAfter: number;
  readonly make: (tools: ChainTools) => Text;
}

/** Steps, a handler that is tried in one way or another, and whatever may stand around it. */
export const failingChain: fc.Arbitrary<FailingChain> = fc
  .record({
    trying,
    arounds,
    before: stepsBefore,
    behind: stepsBehind,
    maxInFlight: fc.integer({ min: 1, max: 12 }),
    quarantineAfter: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ trying: tries, arounds: around, before, behind, maxInFlight, quarantineAfter }) => {
    const parts = [...before, tries, ...around, ...behind];
    return {
      text: `${parts.map(({ text }) => text).join(' | ')}; ${maxInFlight} in flight, quarantine at ${quarantineAfter}`,
      attempts: tries.attempts,
      remembers: tries.remembers === true,
      keepsOrder: parts.every(({ keepsOrder }) => keepsOrder !== false),
      takesOthers: parts.some(({ takesOthers }) => takesOthers === true),
      isByChance: parts.some(({ isByChance }) => isByChance === true),
      maxInFlight,
      quarantineAfter,
      make: tools => {
        const tried = around.reduce((section, one) => one.around(section, tools), tries.make(tools));
        const steps = [
          ...before.map(({ make }) => make(tools)),
          tried,
          ...behind.map(({ make }) => make(tools)),
        ];
        return source$ => steps.reduce((chain$, one) => chain$.pipe(one), source$);
      },
    };
  });
