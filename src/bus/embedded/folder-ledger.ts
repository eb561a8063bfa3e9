import type { LogRecord } from '../../log/frame.ts';
import { type SegmentLog, type SegmentLogOptions, openSegmentLog } from '../../log/segment-log.ts';
import { onDisk } from './folder-errors.ts';
import type { Ledger } from './storage.ts';

/** The log may hold this many bytes beside what counts before it is written anew. */
const slackBytes = 1024 * 1024;
/** And this many times what counts. */
const slackFactor = 4;
const readRecords = 1024;
const place = 'the ledger';
const separator = '\u0000';

/**
 * Names and values in a log of their changes: `name\0value` sets, `name` alone deletes. What was set is on its
 * way until `flush` has written it; a flush that fails leaves it there for the next one.
 */
export class FolderLedger implements Ledger {
  readonly #values = new Map<string, string>();
  readonly #pending = new Map<string, string | undefined>();
  #log: SegmentLog | undefined;
  #readOnly = false;
  #logBytes = 0;

  /** @throws BusError `storage` */
  open(folder: string, options: SegmentLogOptions): void {
    this.#readOnly = options.readOnly === true;
    this.#values.clear();
    this.#pending.clear();
    const log = onDisk(place, () => openSegmentLog(folder, options));
    this.#log = log;
    onDisk(place, () => this.#replay(log));
    if (!this.#readOnly && this.#logBytes > this.#liveBytes() * slackFactor) this.#rewrite(log);
  }

  /** What opening or reading found that cannot be read, as paths. */
  get corruptions(): readonly string[] {
    return this.#log?.corruptions.map(({ path }) => path) ?? [];
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
    this.#pending.set(name, value);
  }

  delete(name: string): void {
    if (this.#values.delete(name)) this.#pending.set(name, undefined);
  }

  names(): readonly string[] {
    return [...this.#values.keys()];
  }

  flush(): void {
    const log = this.#log;
    if (this.#readOnly || log === undefined || this.#pending.size === 0) return;
    this.#append(log, this.#pending);
    this.#pending.clear();
    if (this.#logBytes > slackBytes && this.#logBytes > this.#liveBytes() * slackFactor) this.#rewrite(log);
  }

  sync(): void {
    if (!this.#readOnly) onDisk(place, () => this.#log?.sync());
  }

  close(): void {
    const log = this.#log;
    if (log === undefined) return;
    try {
      this.flush();
    } finally {
      this.#log = undefined;
      log.close();
    }
  }

  #replay(log: SegmentLog): void {
    this.#logBytes = 0;
    for (let from = log.firstOffset; from < log.nextOffset;) {
      const records = log.read(from, readRecords);
      for (const { body } of records) this.#apply(body);
      from = (records.at(-1)?.offset ?? log.nextOffset) + 1;
    }
  }

  #apply(body: Uint8Array): void {
    const [name = '', ...value] = Buffer.from(body).toString('utf8').split(separator);
    if (value.length === 0) this.#values.delete(name);
    else this.#values.set(name, value.join(separator));
    this.#logBytes += body.length;
  }

  #append(log: SegmentLog, entries: ReadonlyMap<string, string | undefined>): void {
    let next = log.nextOffset;
    const records: LogRecord[] = Array.from(entries, ([name, value]) => ({
      offset: next++,
      time: 0,
      body: Buffer.from(value === undefined ? name : name + separator + value),
    }));
    onDisk(place, () => log.append(records));
    for (const { body } of records) this.#logBytes += body.length;
  }

  /** All that counts in one new file, forced to the disk before the older ones go. */
  #rewrite(log: SegmentLog): void {
    onDisk(place, () => {
      log.roll();
      const begin = log.nextOffset;
      this.#append(log, this.#values);
      log.sync();
      log.dropBefore(begin);
    });
    this.#logBytes = this.#liveBytes();
  }

  #liveBytes(): number {
    let bytes = 0;
    for (const [name, value] of this.#values) bytes += name.length + value.length + 1;
    return bytes;
  }
}
