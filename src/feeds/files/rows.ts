/** A piece of a file: a row, or bytes between rows that are none. */
export interface Row {
  readonly text: string;
  /** Where it begins: row number and byte of the unpacked file, from 1 and 0. */
  readonly number: number;
  readonly byte: number;
  /** Why this is no row. */
  readonly broken?: string;
}

/** Splits what is read piece by piece; text is Latin-1, so that its length is that of the bytes. */
export interface Splitter {
  push(text: string): readonly Row[];
  /** What is left at the end of the file. @param cut the end came too early */
  end(cut: boolean): readonly Row[];
}

/** A longer row is no row, and is not waited for. */
const maxRowBytes = 16 * 1024 * 1024;
/** Rows of an array are short; with a bracket lost, the next one is found that much sooner. */
const maxArrayRowBytes = 64 * 1024;

/** The bytes of a Latin-1 text, which are those of the file. */
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const beyondAscii = /[\x80-\xff]/;

/** The text that a row's bytes mean. */
export const utf8Of = (text: string): string =>
  beyondAscii.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;

/** Rows by line; empty lines are none. */
export class LineSplitter implements Splitter {
  #rest = '';
  #number = 0;
  #byte = 0;

  push(text: string): readonly Row[] {
    const rows: Row[] = [];
    const all = this.#rest + text;
    let from = 0;
    for (let to = all.indexOf('\n'); to >= 0; to = all.indexOf('\n', from)) {
      this.#take(all.slice(from, to), to + 1 - from, rows);
      from = to + 1;
    }
    this.#rest = all.slice(from);
    if (this.#rest.length > maxRowBytes) {
      rows.push(this.#row(this.#rest.slice(0, 1024), `a line longer than ${maxRowBytes} bytes`));
      this.#byte += this.#rest.length;
      this.#rest = '';
    }
    return rows;
  }

  end(): readonly Row[] {
    const rows: Row[] = [];
    this.#take(this.#rest, this.#rest.length, rows);
    return rows;
  }

  #take(line: string, length: number, rows: Row[]): void {
    this.#number += 1;
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text.trim() !== '') rows.push(this.#row(text));
    this.#byte += length;
  }

  #row(text: string, broken?: string): Row {
    return { text, number: this.#number, byte: this.#byte, ...(broken === undefined ? {} : { broken }) };
  }
}

/**
 * Rows of one array of flat rows, `[[1,2],[3,4]]`. A row that is cut, or bytes between rows, are handed out
 * as broken, and reading goes on with the next row.
 */
export class ArraySplitter implements Splitter {
  #rest = '';
  #number = 0;
  #byte = 0;
  #opened = false;
  #closed = false;

  push(text: string): readonly Row[] {
    return this.#scan(this.#rest + text, []);
  }

  end(cut: boolean): readonly Row[] {
    const rows: Row[] = [];
    if (this.#rest.trim() !== '') rows.push(this.#row(this.#rest, 'the file ends within a row'));
    else if (!this.#closed && !cut) rows.push(this.#row('', 'the file ends within its array'));
    return rows;
  }

  #scan(text: string, rows: Row[]): readonly Row[] {
    let at = this.#opened ? 0 : this.#begin(text);
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === 0x5b) {
        const next = this.#rowAt(text, at, rows);
        if (next === undefined) break;
        at = next;
      } else if (code === 0x5d && !this.#closed) {
        this.#closed = true;
        at += 1;
      } else if (code === 0x2c || code <= 0x20) at += 1;
      else at = this.#garbage(text, at, rows);
    }
    this.#rest = text.slice(at);
    this.#byte += at;
    return rows;
  }

  #begin(text: string): number {
    this.#opened = true;
    return text.indexOf('[') + 1;
  }

  /** Where the row at this place ends; undefined where its end is not there yet. */
  #rowAt(text: string, at: number, rows: Row[]): number | undefined {
    const end = text.indexOf(']', at);
    const next = text.indexOf('[', at + 1);
    if (next >= 0 && (end < 0 || next < end)) {
      rows.push(this.#row(text.slice(at, next), 'a row without an end', at));
      return next;
    }
    if (end >= 0) {
      rows.push(this.#row(text.slice(at, end + 1), undefined, at));
      return end + 1;
    }
    if (text.length - at <= maxArrayRowBytes) return undefined;
    rows.push(this.#row(text.slice(at, at + 1024), `a row longer than ${maxArrayRowBytes} bytes`, at));
    return text.length;
  }

  #garbage(text: string, at: number, rows: Row[]): number {
    const stop = /[[\]]/g;
    stop.lastIndex = at;
    const next = stop.exec(text)?.index ?? text.length;
    rows.push(this.#row(text.slice(at, Math.min(next, at + 1024)), 'bytes between rows', at));
    // A bracket behind them ends what they are a part of, not the array, which would be followed by nothing.
    return text[next] === ']' && next + 1 < text.length ? next + 1 : next;
  }

  #row(text: string, broken: string | undefined, at = 0): Row {
    this.#number += 1;
    const place = { text, number: this.#number, byte: this.#byte + at };
    return broken === undefined ? place : { ...place, broken };
  }
}
