import * as fc from 'fast-check';
import type { ChainStep } from './chain-step.ts';
import { loneSteps } from './lone-steps.ts';
import { sectionSteps } from './section-steps.ts';
import { statefulSteps } from './stateful-steps.ts';

const lone = fc.oneof(...loneSteps, ...statefulSteps);

/** Random steps, in any order; some of them stand around others. */
export const chainSteps: fc.Arbitrary<readonly ChainStep[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: lone }, { weight: 2, arbitrary: fc.oneof(...sectionSteps(lone)) }),
  { maxLength: 5 },
);
