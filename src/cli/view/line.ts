import { clipText, displayWidth, safeText } from './display-width.ts';

/** What a piece of text is, not which colour: the terminal's own palette decides that. */
export type Ink = 'plain' | 'strong' | 'dim' | 'good' | 'warn' | 'bad' | 'accent';

/** Safe text in one ink; made by {@link span} alone, so that nothing from outside reaches a terminal as it came. */
export interface Span {
  readonly text: string;
  readonly ink: Ink;
}

/** One line of a screen. */
export type Line = readonly Span[];

const codes: Readonly<Record<Exclude<Ink, 'plain'>, string>> = {
  strong: '1',
  dim: '2',
  good: '32',
  warn: '33',
  bad: '31',
  accent: '36',
};

/** A piece of a line. Control characters and escape sequences in the text are left out. */
export function span(text: string, ink: Ink = 'plain'): Span {
  return { text: safeText(text), ink };
}

/** Cells that a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + displayWidth(text), 0);
}

/** A line in at most `width` cells. */
export function clipLine(line: Line, width: number): Line {
  if (lineWidth(line) <= width) return line;
  const kept: Span[] = [];
  let room = width;
  for (const { text, ink } of line) {
    const clipped = clipText(text, room);
    if (clipped !== '') kept.push({ text: clipped, ink });
    room -= displayWidth(text);
    if (room <= 0) break;
  }
  return kept;
}

/** A line filled up with spaces to `width` cells. */
export function padLine(line: Line, width: number, align: 'left' | 'right' = 'left'): Line {
  const missing = width - lineWidth(line);
  if (missing <= 0) return line;
  const filling = span(' '.repeat(missing));
  return align === 'left' ? [...line, filling] : [filling, ...line];
}

/** Pieces side by side; those that do not fit are left out, the first one is clipped. */
export function joinFitting(pieces: readonly Line[], width: number, gap = 3): Line {
  let line: Line = [];
  for (const piece of pieces.filter(some => some.length > 0)) {
    const longer: Line =
      line.length === 0 ? clipLine(piece, width) : [...line, span(' '.repeat(gap)), ...piece];
    if (lineWidth(longer) <= width) line = longer;
  }
  return line;
}

/** One piece at each end; without room for both the right one is left out. */
export function spread(left: Line, right: Line, width: number): Line {
  const between = width - lineWidth(left) - lineWidth(right);
  return between < 2 ? clipLine(left, width) : [...left, span(' '.repeat(between)), ...right];
}

function coloured({ text, ink }: Span): string {
  return ink === 'plain' || text.trim() === '' ? text : `\u001B[${codes[ink]}m${text}\u001B[0m`;
}

/** The line as text; without colour it holds no escape sequence. Spaces at its end are left out. */
export function textOf(line: Line, colour: boolean): string {
  return line
    .map(piece => (colour ? coloured(piece) : piece.text))
    .join('')
    .trimEnd();
}
