import { stripVTControlCharacters } from 'node:util';

/** Control, format (bidi, zero-width) and separator characters, and the selector that makes a glyph an emoji. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{FE0F}]/gu;
const unsafeInLine = /[\t\n\r\u2028\u2029]+/g;
const ascii = /^[\x20-\x7e]*$/;
const zeroWide = /^[\p{M}\u{1160}-\u{11FF}]$/u;
const doubleWide =
  /^(?:\p{Emoji_Presentation}|[\u{1100}-\u{115F}\u{2E80}-\u{303E}\u{3041}-\u{A4CF}\u{A960}-\u{A97C}\u{AC00}-\u{D7A3}\u{F900}-\u{FAFF}\u{FE30}-\u{FE6F}\u{FF01}-\u{FF60}\u{FFE0}-\u{FFE6}\u{1F000}-\u{1FAFF}\u{20000}-\u{3FFFD}])$/u;

/**
 * Text from outside as it may stand in one line of a terminal: no escape sequences, no control characters, no
 * marks that turn the reading direction, no half surrogates; line breaks and tabs become one space.
 */
export function safeText(text: string): string {
  if (ascii.test(text)) return text;
  const oneLine = text.toWellFormed().replace(unsafeInLine, ' ');
  return stripVTControlCharacters(oneLine).replace(unsafe, '');
}

function widthOf(character: string): number {
  if (zeroWide.test(character)) return 0;
  return doubleWide.test(character) ? 2 : 1;
}

/** How many cells of a terminal safe text takes. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

function head(text: string, width: number): string {
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    kept += character;
  }
  return kept;
}

/** Safe text in at most `width` cells; what is cut off is shown by an ellipsis. */
export function clipText(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  return width < 1 ? '' : `${head(text, width - 1)}…`;
}

function splitWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  for (let rest = word; rest !== '';) {
    const piece = head(rest, width) || rest;
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return pieces;
}

/** Safe text in lines of at most `width` cells (2 or more), broken at spaces, inside a word only where it must be. */
export function wrapText(text: string, width: number): string[] {
  const room = Math.max(2, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap(long => splitWord(long, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= room) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
