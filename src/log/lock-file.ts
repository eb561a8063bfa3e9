import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { LogError, systemCode, toLogError } from './log-error.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What a lock tells others about its owner; values must be fit for JSON. */
export type LockInfo = Readonly<Record<string, string | number | boolean>>;

/** What stands in a lock file. */
export interface LockContent extends ProcessIdentity {
  /** Another one for every lock ever taken. */
  readonly nonce: string;
  readonly info: LockInfo;
}

const maxLockBytes = 64 * 1024;

/**
 * Creates a lock file with its whole content at once; false where there is one already.
 *
 * @throws LogError where the folder cannot be written
 */
export function createLockFile(path: string, content: LockContent): boolean {
  const draft = `${path}.${content.nonce}.draft`;
  try {
    writeDraft(draft, content);
    return linkOnce(draft, path);
  } catch (error) {
    throw toLogError(error, 'cannot create the lock', path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * What a lock file says; undefined where there is none.
 *
 * @throws LogError where it cannot be read or holds something else
 */
export function readLockFile(path: string): LockContent | undefined {
  try {
    if (statSync(path).size > maxLockBytes) throw unreadable(path);
    const content = decodeLock(readFileSync(path, 'utf8'));
    if (content === undefined) throw unreadable(path);
    return content;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw toLogError(error, 'cannot read the lock', path);
  }
}

function writeDraft(draft: string, content: LockContent): void {
  const fd = openSync(draft, 'wx');
  try {
    writeFileSync(fd, `${JSON.stringify(content)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function linkOnce(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function decodeLock(text: string): LockContent | undefined {
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const { pid, host, started, nonce, info } = value;
  if (!Number.isSafeInteger(pid) || typeof pid !== 'number' || pid <= 0 || typeof host !== 'string')
    return undefined;
  if (typeof nonce !== 'string' || !/^[\w-]{1,64}$/.test(nonce) || !isRecord(info) || !isLockInfo(info))
    return undefined;
  const content = { pid, host, nonce, info };
  return typeof started === 'string' ? { ...content, started } : content;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLockInfo(value: Readonly<Record<string, unknown>>): value is LockInfo {
  return Object.values(value).every(field => ['string', 'number', 'boolean'].includes(typeof field));
}

function unreadable(path: string): LogError {
  return new LogError(
    'locked',
    path,
    'the lock file holds something unreadable',
    'Delete it if no process uses the folder.',
  );
}
