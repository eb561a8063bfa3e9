import { basename } from 'node:path';
import type { FeedItem } from '../feed.ts';
import { ByteReader } from './byte-reader.ts';
import { bytesOf, utf8Of, type Row, type Splitter } from './rows.ts';
import type { ItemSource } from './timed-source.ts';

/** An item, several, none (a row that is no business of feeds), or why the row is not read. */
export type RowDecoder = (text: string) => FeedItem | readonly FeedItem[] | string | undefined;

/** Rows of one file as they were split, with what is wrong with the file at its end. */
export class RowReader {
  readonly path: string;
  readonly #bytes: ByteReader;
  readonly #splitter: Splitter;
  #ended = false;

  constructor(path: string, splitter: Splitter) {
    this.path = path;
    this.#bytes = new ByteReader(path);
    this.#splitter = splitter;
  }

  get bytesRead(): number {
    return this.#bytes.bytesRead;
  }

  async next(): Promise<readonly Row[] | undefined> {
    if (this.#ended) return undefined;
    const chunk = await this.#bytes.next();
    if (chunk !== undefined) return this.#splitter.push(chunk.toString('latin1'));
    this.#ended = true;
    const { defect, bytesRead } = this.#bytes;
    const rows = this.#splitter.end(defect !== undefined);
    await this.#bytes.close();
    if (defect === undefined) return rows;
    const broken = `the file cannot be unpacked beyond here: ${defect}`;
    return [...rows, { text: '', number: 0, byte: bytesRead, broken }];
  }

  close(): Promise<void> {
    this.#ended = true;
    return this.#bytes.close();
  }
}

/** Where a row stands, for whoever looks for it. */
export const placeOf = (path: string, row: Row): string =>
  row.number === 0
    ? `${basename(path)} byte ${row.byte}`
    : `${basename(path)} row ${row.number} byte ${row.byte}`;

/** A row that could not be read, as an item. */
export const malformedRow = (path: string, row: Row, reason: string): FeedItem => ({
  kind: 'malformed',
  raw: bytesOf(row.text),
  reason,
  place: placeOf(path, row),
});

/** Rows decoded at once: items of many files wait for each other, and rows take less than what they become. */
const rowsAtOnce = 32;

/** Items from one file whose rows stand for themselves. */
export class RowSource implements ItemSource {
  readonly name: string;
  readonly #reader: RowReader;
  readonly #decode: RowDecoder;
  #rows: readonly Row[] = [];
  #at = 0;

  constructor(name: string, path: string, splitter: Splitter, decode: RowDecoder) {
    this.name = name;
    this.#reader = new RowReader(path, splitter);
    this.#decode = decode;
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  async next(): Promise<readonly FeedItem[] | undefined> {
    if (this.#at >= this.#rows.length) {
      const rows = await this.#reader.next();
      if (rows === undefined) return undefined;
      this.#rows = rows;
      this.#at = 0;
    }
    const items: FeedItem[] = [];
    const piece = this.#rows.slice(this.#at, (this.#at += rowsAtOnce));
    for (const row of piece) {
      const read = row.broken === undefined ? this.#decode(utf8Of(row.text)) : row.broken;
      if (typeof read === 'string') items.push(malformedRow(this.#reader.path, row, read));
      else if (read === undefined) continue;
      else if ('kind' in read) items.push(read);
      else items.push(...read);
    }
    return items;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
