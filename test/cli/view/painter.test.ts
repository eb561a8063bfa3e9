import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Painter } from '../../../src/cli/view/painter.ts';

function withoutBlanksBelow(lines: readonly string[]): string[] {
  return lines.slice(0, lines.findLastIndex(line => line !== '') + 1);
}

const escape = '\u001B';
const tokens = new RegExp(`${escape}\\[[?\\d;]*[a-zA-Z]|\r|\n|[^${escape}\r\n]+`, 'g');

/** As much of a terminal as the painter uses. */
class Terminal {
  columns: number | undefined = 40;
  rows: number | undefined = 10;
  writes: string[] = [];
  grid: string[] = [''];
  cursorShown = true;
  #row = 0;
  #column = 0;

  get shown(): string[] {
    return withoutBlanksBelow(this.grid);
  }

  write(text: string): void {
    this.writes.push(text);
    for (const [token] of text.matchAll(tokens)) this.#apply(token);
  }

  #apply(token: string): void {
    const count = Number(/\d+/.exec(token)?.[0] ?? 1);
    if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#row += 1;
    else if (token === '\u001B[?25l' || token === '\u001B[?25h') this.cursorShown = token.endsWith('h');
    else if (token === '\u001B[2J') this.grid = [];
    else if (token === '\u001B[H') this.#row = this.#column = 0;
    else if (token === '\u001B[2K') this.grid[this.#row] = '';
    else if (token === '\u001B[J') {
      this.grid = this.grid.slice(0, this.#row + 1);
      this.grid[this.#row] = this.grid[this.#row]?.slice(0, this.#column) ?? '';
    } else if (token.endsWith('A') && token.startsWith('\u001B')) this.#row = Math.max(0, this.#row - count);
    else if (token.endsWith('B') && token.startsWith('\u001B')) this.#row += count;
    else if (!token.startsWith('\u001B')) this.#put(token);
    for (let row = 0; row <= this.#row; row += 1) this.grid[row] ??= '';
  }

  #put(text: string): void {
    const line = (this.grid[this.#row] ?? '').padEnd(this.#column);
    this.grid[this.#row] = line.slice(0, this.#column) + text + line.slice(this.#column + text.length);
    this.#column += text.length;
  }
}

describe('Painter', () => {
  it('writes only the lines that changed', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.draw(['first', 'second', 'third']);
    painter.draw(['first', 'changed', 'third']);
    expect(terminal.writes).toHaveLength(2);
    expect(terminal.writes[1]).toContain('changed');
    expect(terminal.writes[1]).not.toMatch(/first|third/);
    expect(terminal.grid).toEqual(['first', 'changed', 'third']);
  });

  it('writes nothing where nothing changed', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.draw(['same']);
    painter.draw(['same']);
    expect(terminal.writes).toHaveLength(1);
  });

  it('shows what was drawn last, whatever was drawn before', () => {
    const screen = fc.array(fc.constantFrom('', 'a', 'bb', 'ccc', 'dddd'), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(screen, { minLength: 1, maxLength: 6 }), screens => {
        const terminal = new Terminal();
        const painter = new Painter(terminal);
        for (const lines of screens) {
          painter.draw(lines);
          expect(terminal.shown).toEqual(withoutBlanksBelow(lines));
        }
      }),
    );
  });

  it('draws afresh after a resize, within the new size', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.draw(['a', 'b', 'c']);
    terminal.rows = 2;
    painter.draw(['a', 'b', 'c']);
    expect(terminal.writes[1]).toContain('\u001B[2J');
    expect(terminal.shown).toEqual(['a', 'b']);
  });

  it('keeps lines printed above', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.draw(['a', 'b']);
    painter.printAbove(['a note']);
    painter.draw(['c', 'd']);
    expect(terminal.grid).toEqual(['a note', 'c', 'd']);
  });

  it('hides the cursor while it draws and gives the terminal back once', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.draw(['a']);
    expect(terminal.cursorShown).toBe(false);
    painter.close();
    painter.close();
    painter.draw(['b']);
    expect(terminal.cursorShown).toBe(true);
    expect(terminal.grid).toEqual(['a', '']);
    expect(terminal.writes).toHaveLength(2);
  });

  it('leaves nothing behind where that is asked for, and writes nothing where nothing was drawn', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.draw(['a', 'b']);
    painter.close(false);
    expect(terminal.grid).toEqual(['']);
    const untouched = new Terminal();
    new Painter(untouched).close();
    expect(untouched.writes).toEqual([]);
  });

  it('takes a terminal of unknown size for 80 by 24', () => {
    const terminal = new Terminal();
    terminal.columns = terminal.rows = undefined;
    expect(new Painter(terminal).size).toEqual({ columns: 80, rows: 24 });
  });
});
