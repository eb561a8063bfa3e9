import { priceInWords } from '../../../pipelines/number-words.ts';
import type { ExitSignal } from '../../../pipelines/signal-value.ts';
import { type Line, clipLine, joinFitting, span } from '../view/line.ts';
import { lengthOfTime, moment, signed } from '../view/readable.ts';
import { labelled } from '../view/regime-words.ts';
import type { Explanation } from './explanation.ts';
import { paragraph } from './section.ts';

function exitLines(signal: ExitSignal, { entry }: Explanation, width: number): Line[] {
  const held = lengthOfTime(signal.time - signal.entryTime);
  const stop =
    entry === undefined ? '' : `, stop ${priceInWords(entry.stopPrice)}, score ${entry.score.toFixed(1)}`;
  const began = `Entered ${moment(signal.entryTime)} UTC at ${priceInWords(signal.entryPrice)}${stop}; held for ${held}.`;
  const change: Line = [
    span(`${signed(signal.return * 100)} %`, signal.return < 0 ? 'bad' : 'good'),
    span(`  ${signal.exitReason}`, 'strong'),
  ];
  const because =
    entry === undefined ? [] : entry.reasons.flatMap(reason => paragraph(`- ${reason}`, width, 'dim', '  '));
  return [
    change,
    ...paragraph(began, width, 'plain'),
    ...because,
    ...paragraph(`entry id ${signal.entryId}`, width),
  ];
}

/** What the signal says: when, what, at which price, and its own reasons. */
export function headlineSection(explanation: Explanation, width: number): Line[] {
  const { signal } = explanation;
  const isEntry = signal.kind === 'entry';
  const title = joinFitting(
    [
      [
        span(isEntry ? '▲ ENTRY' : '▼ EXIT', isEntry ? 'good' : 'accent'),
        span(`  ${signal.symbol}`, 'strong'),
      ],
      [span(`at ${signal.venue}`)],
      [span(priceInWords(signal.price), 'strong')],
      [span(`${moment(signal.time)} UTC`)],
      [span('score ', 'dim'), span(signal.score.toFixed(1), 'strong')],
      [labelled(signal.regime)],
      isEntry ? [span('stop ', 'dim'), span(priceInWords(signal.stopPrice))] : [],
    ],
    width,
    2,
  );
  const reasons = signal.reasons.flatMap(reason => paragraph(`- ${reason}`, width, 'plain', '  '));
  const rest = isEntry ? [] : exitLines(signal, explanation, width);
  return [title, ...reasons, ...rest, clipLine([span(`id ${signal.id}`, 'dim')], width)];
}
