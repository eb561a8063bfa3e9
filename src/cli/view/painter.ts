/** The narrow side of a terminal. */
export interface Screen {
  write(text: string): unknown;
  /** Cells; undefined where it is not known: then 80 by 24. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
/** So that a terminal that is resized does not wrap what is on it while it is drawn. */
const wrapOff = '\u001B[?7l';
const wrapOn = '\u001B[?7h';
const clearLine = '\u001B[2K';
const clearBelow = '\u001B[J';
const clearScreen = '\u001B[2J\u001B[H';

/**
 * Draws lines in place: each `draw` writes once, and only the lines that changed. The cursor is hidden while it
 * draws and shown again by `close`. After a resize the screen is drawn afresh, because the terminal may have
 * moved its lines.
 */
export class Painter {
  readonly #screen: Screen;
  #drawn: readonly string[] = [];
  #size: { readonly columns: number; readonly rows: number };
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#size = this.size;
  }

  /** Whether anything was drawn, and whether it still may be. */
  get state(): 'new' | 'open' | 'closed' {
    return this.#state;
  }

  /** Cells that the screen has now. */
  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#screen.columns || 80, rows: this.#screen.rows || 24 };
  }

  /** Shows these lines in place of those before; as many as the screen has rows. Does nothing once closed. */
  draw(lines: readonly string[]): void {
    if (this.#state === 'closed') return;
    const size = this.size;
    const resized = size.columns !== this.#size.columns || size.rows !== this.#size.rows;
    const shown = lines.slice(0, size.rows);
    const isFirst = this.#state === 'new';
    const start = isFirst ? hideCursor + wrapOff : '';
    const anew = resized && !isFirst;
    const text = anew ? clearScreen + shown.join('\r\n') : this.#difference(shown);
    this.#size = size;
    this.#drawn = shown;
    this.#state = 'open';
    if (start + text !== '') this.#screen.write(start + text);
  }

  /**
   * Writes lines that stay, above what is drawn; the drawing goes on below them with the next `draw`.
   */
  printAbove(lines: readonly string[]): void {
    if (this.#state === 'closed' || lines.length === 0) return;
    const text = this.#erase() + lines.map(line => `${line}\r\n`).join('');
    this.#drawn = [];
    this.#screen.write(text);
  }

  /**
   * Gives the terminal back, the cursor on a new line below what is drawn; a second call does nothing.
   *
   * @param keep whether what is drawn stays; default true
   */
  close(keep = true): void {
    if (this.#state === 'open') {
      const end = keep ? (this.#drawn.length > 0 ? '\r\n' : '') : this.#erase();
      this.#screen.write(end + wrapOn + showCursor);
    }
    this.#state = 'closed';
  }

  /** Moves to the first line drawn and clears from there. */
  #erase(): string {
    return this.#drawn.length === 0 ? '' : `${this.#upTo(0)}\r${clearBelow}`;
  }

  /** From the last line drawn, where the cursor rests, up to another one. */
  #upTo(row: number): string {
    const up = this.#drawn.length - 1 - row;
    return up > 0 ? `\u001B[${up}A` : '';
  }

  /** The cursor rests on the last line that was drawn, and does so again afterwards. */
  #difference(lines: readonly string[]): string {
    const before = this.#drawn;
    if (before.length === 0) return lines.join('\r\n');
    const isSame = lines.length === before.length && lines.every((line, row) => line === before[row]);
    if (isSame) return '';
    if (lines.length === 0) return this.#erase();
    let text = '';
    let at = before.length - 1;
    const goTo = (row: number): void => {
      const within = Math.max(at, Math.min(row, before.length - 1));
      if (row < at) text += `\u001B[${at - row}A`;
      else if (within > at) text += `\u001B[${within - at}B`;
      text += '\r\n'.repeat(Math.max(0, row - within));
      at = row;
    };
    lines.forEach((line, row) => {
      if (line === before[row]) return;
      goTo(row);
      text += `\r${clearLine}${line}`;
    });
    if (at !== lines.length - 1) goTo(lines.length - 1);
    return lines.length < before.length ? `${text}\r\n${clearBelow}\u001B[A` : text;
  }
}
