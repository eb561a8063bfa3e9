/** What kept a log from doing its work; a closed set, to decide by. */
export type LogErrorCode = 'disk-full' | 'io' | 'permission' | 'corrupt' | 'locked';

/** Raised by everything in the log: names the place, the reason and what to do about it. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  /** The file or folder concerned. */
  readonly path: string;
  /** What the operator can do about it, in a sentence. */
  readonly remedy: string;

  constructor(code: LogErrorCode, path: string, what: string, remedy: string, cause?: unknown) {
    super(`${what}: ${path}. ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
    this.remedy = remedy;
  }
}

const remedies: Readonly<Record<string, readonly [LogErrorCode, string]>> = {
  ENOSPC: ['disk-full', 'Free space on this disk or shorten the retention, then publish again.'],
  EDQUOT: ['disk-full', 'Raise the disk quota or shorten the retention, then publish again.'],
  EFBIG: ['disk-full', 'The file is at its size limit: set a smaller segment size.'],
  EACCES: ['permission', 'Give this user the right to read and write the folder.'],
  EPERM: ['permission', 'Give this user the right to read and write the folder.'],
  EROFS: [
    'permission',
    'The file system is mounted read-only: mount it for writing or choose another folder.',
  ],
  ENOTDIR: ['io', 'A file stands where a folder is needed: move it or choose another folder.'],
  EEXIST: ['io', 'A file stands where a folder is needed: move it or choose another folder.'],
  ENOENT: ['io', 'Check that the folder exists and that nothing else deletes its files.'],
  EMFILE: ['io', 'Raise the limit of open files (ulimit -n) or use fewer partitions.'],
  ENFILE: ['io', 'Raise the limit of open files of this machine.'],
};

/** The code of a system error such as `ENOENT`; undefined where the error is none. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The LogError of what a file operation threw; a LogError stays as it is.
 *
 * @param what what was being done, for example `cannot append`
 */
export function toLogError(error: unknown, what: string, path: string): LogError {
  if (error instanceof LogError) return error;
  const system = systemCode(error);
  const [code, remedy] = remedies[system ?? ''] ?? ['io', 'Check the disk and its connection.'];
  const reason = system ?? (error instanceof Error ? error.message : String(error));
  return new LogError(code, path, `${what} (${reason})`, remedy, error);
}

/** Runs a file operation; what it throws becomes a {@link LogError}. */
export function guarded<T>(what: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw toLogError(error, what, path);
  }
}
