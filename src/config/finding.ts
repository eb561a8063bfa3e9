import type { Issue, Place } from './config-problem.ts';
import type { LocatedScalar } from './located.ts';

/** What came of looking at one value. */
export interface Finding {
  readonly issues: readonly Issue[];
  /** Scalars from the environment that have to be read as text to fit. */
  readonly asText: readonly LocatedScalar[];
}

/** Nothing is wrong. */
export const fine: Finding = { issues: [], asText: [] };

/** One thing is wrong. */
export function issue(at: Place, path: string, text: string): Finding {
  return { issues: [{ at, path, text }], asText: [] };
}

/** Everything that several looks have found. */
export function combined(findings: readonly Finding[]): Finding {
  return {
    issues: findings.flatMap(({ issues }) => issues),
    asText: findings.flatMap(({ asText }) => asText),
  };
}
