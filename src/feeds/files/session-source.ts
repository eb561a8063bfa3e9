import type { FeedItem } from '../feed.ts';
import { venueAt, venueNamed } from '../venues/known-venues.ts';
import type { Normaliser, NormaliserOptions } from '../venues/venue.ts';
import { parseLogLine, type LogLine } from './frame-log.ts';
import { malformedRow, placeOf, RowReader } from './row-source.ts';
import { LineSplitter, utf8Of, type Row } from './rows.ts';
import type { ItemSource } from './timed-source.ts';

interface Received {
  readonly row: Row;
  readonly line: LogLine | undefined;
}

/** One file of a session: its lines, one after the other, and the normaliser of its connection. */
class Connection {
  readonly path: string;
  readonly #reader: RowReader;
  readonly #options: NormaliserOptions;
  #lines: readonly Received[] = [];
  #at = 0;
  /** Time of receipt of the line at hand, ms; lines without one follow the line before them. */
  time = 0;
  venue: string | undefined;
  normaliser: Normaliser | undefined;

  constructor(path: string, venue: string | undefined, options: NormaliserOptions) {
    this.path = path;
    this.#options = options;
    this.#reader = new RowReader(path, new LineSplitter());
    if (venue !== undefined) this.#speak(venue);
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  get head(): Received | undefined {
    return this.#lines[this.#at];
  }

  /** The next line becomes the one at hand. False at the end of the file. */
  async advance(): Promise<boolean> {
    this.#at += 1;
    while (this.#at >= this.#lines.length) {
      const rows = await this.#reader.next();
      if (rows === undefined) return false;
      this.#lines = rows.map(row => ({ row, line: parseLogLine(utf8Of(row.text)) }));
      this.#at = 0;
    }
    const line = this.head?.line;
    if (line?.kind === 'frame' || line?.kind === 'rest') this.time = line.receivedAt;
    return true;
  }

  /** A connection begins: of this venue, with nothing known. */
  opened(url: string): void {
    const found = venueAt(url);
    this.normaliser?.reset();
    if (this.normaliser === undefined && found !== undefined) this.#speak(found.name);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #speak(name: string): void {
    const venue = venueNamed(name);
    this.venue = venue?.venue;
    this.normaliser = venue?.createNormaliser(this.#options);
  }
}

/** Items said at once; a session is read as fast as it is asked for, line by line. */
const linesAtOnce = 256;

/**
 * Recorded sessions with exchanges: each file a connection, merged by time of receipt, so that the answers to
 * REST requests in one file find the books of another.
 */
export class SessionSource implements ItemSource {
  readonly name: string;
  readonly #all: readonly Connection[];
  #open: Connection[];
  #started = false;

  constructor(
    name: string,
    files: readonly { readonly path: string; readonly venue: string | undefined }[],
    options: NormaliserOptions,
  ) {
    this.name = name;
    this.#all = files.map(({ path, venue }) => new Connection(path, venue, options));
    this.#open = [...this.#all];
  }

  get bytesRead(): number {
    return this.#all.reduce((sum, connection) => sum + connection.bytesRead, 0);
  }

  async next(): Promise<readonly FeedItem[] | undefined> {
    if (!this.#started) {
      this.#started = true;
      for (const connection of [...this.#open]) await this.#advance(connection);
    }
    const items: FeedItem[] = [];
    for (let lines = 0; lines < linesAtOnce && this.#open.length > 0; lines += 1) {
      const first = this.#open.reduce((a, b) => (b.time < a.time ? b : a));
      if (first.head !== undefined) items.push(...this.#items(first, first.head));
      await this.#advance(first);
    }
    return items.length === 0 && this.#open.length === 0 ? undefined : items;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(connection => connection.close()));
  }

  async #advance(connection: Connection): Promise<void> {
    if (!(await connection.advance())) this.#open = this.#open.filter(each => each !== connection);
  }

  #items(from: Connection, { row, line }: Received): readonly FeedItem[] {
    const malformed = (reason: string): readonly FeedItem[] => [malformedRow(from.path, row, reason)];
    if (row.broken !== undefined) return malformed(row.broken);
    if (line === undefined) return malformed('the line has none of the forms of a recorded session');
    switch (line.kind) {
      case 'open':
        from.opened(line.url);
        return [];
      case 'sent':
        return [];
      case 'rest':
        return this.#rest(line, placeOf(from.path, row));
      case 'frame':
        if (from.normaliser === undefined) return malformed('a frame of a venue that is not known');
        return from.normaliser.accept(line.text, line.receivedAt, placeOf(from.path, row)).items;
    }
  }

  /** Goes to the connections of its venue until one has use for it. */
  #rest({ url, text, receivedAt }: LogLine & { readonly kind: 'rest' }, place: string): readonly FeedItem[] {
    const venue = venueAt(url)?.venue;
    for (const { normaliser, venue: own } of this.#all) {
      if (normaliser === undefined || own !== venue) continue;
      const { items } = normaliser.acceptRest(url, text, receivedAt, place);
      if (items.length > 0) return items;
    }
    return [];
  }
}
