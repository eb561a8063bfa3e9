import { reasonOf } from '../../core/failure.ts';
import { abortable } from './abortable.ts';
import { LineFile, type OpenFile, openForAppending } from './line-file.ts';
import { type NotificationSink, SinkError } from './notification-sink.ts';

export interface FileSinkOptions {
  /** Default `file`. */
  readonly name?: string;
  /** Made where it is missing; its folder must be there. */
  readonly path: string;
  /** Default: the file system's. */
  readonly open?: OpenFile;
}

/** How much of the end is read at start for the ids that are there already, bytes. */
const tailBytes = 1024 * 1024;
/** Ids remembered at most. */
const maxIds = 10_000;

interface OpenedFile {
  readonly lines: LineFile;
  /** Ids that are in the file, the oldest first. */
  readonly ids: Set<string>;
}

/**
 * Appends each notification as one line of JSON with its message id; a repetition that is among the last lines
 * is not written again. Opened at the first delivery, forced to disk when closed. A full disk is a failure that
 * is tried again, and leaves no half line behind.
 */
export function fileSink({
  name = 'file',
  path,
  open = openForAppending,
}: FileSinkOptions): NotificationSink {
  let opened: OpenedFile | undefined;
  // One line at a time, whatever the concurrency.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <A>(work: () => Promise<A>): Promise<A> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };

  const append = async (id: string, line: string): Promise<void> => {
    opened ??= await openFile(path, open);
    if (opened.ids.has(id)) return;
    await opened.lines.append(line);
    remember(opened.ids, id);
  };

  return {
    name,
    deliver: (notification, { id, signal }) =>
      abortable(async aborted => {
        try {
          await inTurn(async () => {
            if (!aborted.aborted) await append(id, JSON.stringify({ ...notification, id }));
          });
        } catch (error) {
          throw new SinkError(name, `cannot write to ${path} (${reasonOf(error)}): ${remedyOf(error)}`);
        }
      }, signal),
    close: () =>
      inTurn(async () => {
        const closing = opened;
        opened = undefined;
        await closing?.lines.close();
      }),
  };
}

/** What can be done about it; meanwhile it is tried again, and what is given up waits among the dead letters. */
function remedyOf(error: unknown): string {
  switch (error instanceof Error && 'code' in error && error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'free space on this disk, then send back what became a dead letter (dlq redrive)';
    case 'ENOENT':
      return 'make its folder, or name another path';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'give this user the right to write it, or name another path';
    case 'EISDIR':
      return 'a folder is there: name a file';
    default:
      return 'look at the disk, or name another path';
  }
}

async function openFile(path: string, open: OpenFile): Promise<OpenedFile> {
  const file = await open(path);
  try {
    const lines = await LineFile.open(file, line => idOf(line) !== undefined);
    const ids = new Set<string>();
    for (const line of await lines.tail(tailBytes)) {
      const id = idOf(line);
      if (id !== undefined) remember(ids, id);
    }
    return { lines, ids };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  if (ids.size <= maxIds) return;
  for (const oldest of ids) {
    ids.delete(oldest);
    return;
  }
}

/** The message id that a whole line holds. */
function idOf(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
    return typeof value.id === 'string' ? value.id : undefined;
  } catch {
    return undefined;
  }
}
