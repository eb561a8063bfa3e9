import { clipLine, textOf } from '../view/line.ts';
import { barSection } from './bar-section.ts';
import { chainSection } from './chain-section.ts';
import type { Explanation } from './explanation.ts';
import { gatesSection } from './gates-section.ts';
import { headlineSection } from './headline-section.ts';
import { regimeSection } from './regime-section.ts';
import { scoreSection } from './score-section.ts';

/** How wide, in cells, and whether in colour. */
export interface ExplanationOptions {
  /** Default 100. */
  readonly columns?: number;
  /** Default false. */
  readonly colour?: boolean;
}

const sections = [headlineSection, scoreSection, gatesSection, regimeSection, barSection, chainSection];

/**
 * The whole why of a signal for people: headline, score, gates, regime, bar with its prices, chain of messages.
 * No line is wider than `columns`; sentences wrap.
 */
export function renderExplanation(
  explanation: Explanation,
  { columns = 100, colour = false }: ExplanationOptions = {},
): string[] {
  const shown = sections.map(section => section(explanation, columns)).filter(lines => lines.length > 0);
  const lines = shown.flatMap((section, index) => (index === 0 ? section : [[], ...section]));
  return lines.map(line => textOf(clipLine(line, columns), colour));
}
