export function withoutBlanksBelow(lines: readonly string[]): string[] {
  return lines.slice(0, lines.findLastIndex(line => line !== '') + 1);
}

const escape = '\u001B';
const tokens = new RegExp(`${escape}\\[[?\\d;]*[a-zA-Z]|\r|\n|[^${escape}\r\n]+`, 'g');

/** As much of a terminal as the painter uses: what its user sees, without colours. */
export class TerminalGrid {
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
