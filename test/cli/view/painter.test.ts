import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Painter } from '../../../src/cli/view/painter.ts';
import { TerminalGrid, withoutBlanksBelow } from './terminal-grid.ts';

describe('Painter', () => {
  it('writes only the lines that changed', () => {
    const terminal = new TerminalGrid();
    const painter = new Painter(terminal);
    painter.draw(['first', 'second', 'third']);
    painter.draw(['first', 'changed', 'third']);
    expect(terminal.writes).toHaveLength(2);
    expect(terminal.writes[1]).toContain('changed');
    expect(terminal.writes[1]).not.toMatch(/first|third/);
    expect(terminal.grid).toEqual(['first', 'changed', 'third']);
  });

  it('writes nothing where nothing changed', () => {
    const terminal = new TerminalGrid();
    const painter = new Painter(terminal);
    painter.draw(['same']);
    painter.draw(['same']);
    expect(terminal.writes).toHaveLength(1);
  });

  it('shows what was drawn last, whatever was drawn before', () => {
    const screen = fc.array(fc.constantFrom('', 'a', 'bb', 'ccc', 'dddd'), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(screen, { minLength: 1, maxLength: 6 }), screens => {
        const terminal = new TerminalGrid();
        const painter = new Painter(terminal);
        for (const lines of screens) {
          painter.draw(lines);
          expect(terminal.shown).toEqual(withoutBlanksBelow(lines));
        }
      }),
    );
  });

  it('draws afresh after a resize, within the new size', () => {
    const terminal = new TerminalGrid();
    const painter = new Painter(terminal);
    painter.draw(['a', 'b', 'c']);
    terminal.rows = 2;
    painter.draw(['a', 'b', 'c']);
    expect(terminal.writes[1]).toContain('\u001B[2J');
    expect(terminal.shown).toEqual(['a', 'b']);
  });

  it('keeps lines printed above', () => {
    const terminal = new TerminalGrid();
    const painter = new Painter(terminal);
    painter.draw(['a', 'b']);
    painter.printAbove(['a note']);
    painter.draw(['c', 'd']);
    expect(terminal.grid).toEqual(['a note', 'c', 'd']);
  });

  it('hides the cursor while it draws and gives the terminal back once', () => {
    const terminal = new TerminalGrid();
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
    const terminal = new TerminalGrid();
    const painter = new Painter(terminal);
    painter.draw(['a', 'b']);
    painter.close(false);
    expect(terminal.grid).toEqual(['']);
    const untouched = new TerminalGrid();
    new Painter(untouched).close();
    expect(untouched.writes).toEqual([]);
  });

  it('takes a terminal of unknown size for 80 by 24', () => {
    const terminal = new TerminalGrid();
    terminal.columns = terminal.rows = undefined;
    expect(new Painter(terminal).size).toEqual({ columns: 80, rows: 24 });
  });
});
