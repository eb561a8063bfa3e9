import { wrapText } from '../view/display-width.ts';
import { type Ink, type Line, clipLine, lineWidth, padLine, span } from '../view/line.ts';

/** Fewest cells in which a sentence beside a table is still readable. */
const readable = 28;

/** A heading with what there is to say at once. */
export function sectionTitle(name: string, rest: Line, width: number): Line {
  return clipLine([span(name, 'accent'), span('  '), ...rest], width);
}

/** Text in as many lines as it takes. */
export function paragraph(text: string, width: number, ink: Ink = 'dim', indent = ''): Line[] {
  const lines = wrapText(span(text).text, width - indent.length);
  return lines.map(line => clipLine([span(`${indent}${line}`, ink)], width));
}

/** Each line with its sentence: beside it where there is room, else below it; never cut. */
export function withSentences(lines: readonly Line[], sentences: readonly string[], width: number): Line[] {
  const widest = Math.max(0, ...lines.map(lineWidth));
  const room = width - widest - 2;
  return lines.flatMap((line, index) => {
    const sentence = span(sentences[index] ?? '').text;
    if (sentence === '') return [line];
    if (room < readable) return [line, ...paragraph(sentence, width, 'dim', '    ')];
    const [first = '', ...others] = wrapText(sentence, room);
    const below = others.map((text): Line => [span(' '.repeat(widest + 2)), span(text, 'dim')]);
    return [[...padLine(line, widest), span('  '), span(first, 'dim')], ...below];
  });
}
