import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createLockFile, readLockFile, type LockContent, type LockInfo } from './lock-file.ts';
import { guarded, LogError } from './log-error.ts';
import { makeFolder } from './log-folder.ts';
import { mayRun, ownIdentity } from './process-identity.ts';

/** A folder that belongs to this process. */
export interface FolderLock {
  readonly folder: string;
  /** Gives the folder back; a second call does nothing. */
  release(): void;
}

const lockName = 'owner.lock';
const takeoverName = 'owner.lock.takeover-';
/** More takers of one lock than this, all dead half-way, are a fault of another kind. */
const maxTakers = 32;

/**
 * Makes this process the owner of a folder, which is made where it is absent. A lock whose process has ended is taken
 * over; of several that try, one gets it.
 *
 * @param info what others may want to know, for example a control port
 * @throws LogError `locked` where another process, or another part of this one, owns it
 */
export function lockFolder(folder: string, info: LockInfo = {}): FolderLock {
  guarded('cannot make the folder', folder, () => makeFolder(folder));
  const path = join(folder, lockName);
  const own: LockContent = { ...ownIdentity(), nonce: randomUUID(), info };
  for (let attempt = 0; attempt < maxTakers; attempt += 1) {
    if (createLockFile(path, own)) return owned(folder, path, own);
    const other = readLockFile(path);
    if (other === undefined) continue;
    if (mayRun(other)) throw locked(path, other);
    if (takeOver(folder, path, other, own)) return owned(folder, path, own);
  }
  throw new LogError('locked', path, 'the lock keeps changing hands', 'Start one process at a time.');
}

/**
 * The lock of a folder as others see it; undefined where no running process owns it.
 *
 * @throws LogError where the lock cannot be read
 */
export function readLock(folder: string): LockContent | undefined {
  const content = readLockFile(join(folder, lockName));
  return content !== undefined && mayRun(content) ? content : undefined;
}

/*
 * Whoever takes over a lock first creates a file named after that one lock, and only one can. Then it looks again
 * whether the lock is still that one, and moves its file over it. If it dies between, its file is a stale lock like
 * any other, and is taken over in the same way.
 */
function takeOver(folder: string, path: string, stale: LockContent, own: LockContent): boolean {
  const claim = claimTakeover(folder, path, stale, own);
  if (claim === undefined) return false;
  if (readLockFile(path)?.nonce !== stale.nonce) {
    rmSync(claim, { force: true });
    return false;
  }
  guarded('cannot take the lock over', path, () => renameSync(claim, path));
  return true;
}

/** The file that gives the right to replace this lock; undefined where things changed meanwhile. */
function claimTakeover(
  folder: string,
  path: string,
  stale: LockContent,
  own: LockContent,
): string | undefined {
  let from = stale;
  for (let taker = 0; taker < maxTakers; taker += 1) {
    const claim = join(folder, takeoverName + from.nonce);
    if (createLockFile(claim, own)) return claim;
    const other = readLockFile(claim);
    if (other === undefined) return undefined;
    if (mayRun(other)) throw locked(path, other);
    from = other;
  }
  return undefined;
}

function owned(folder: string, path: string, own: LockContent): FolderLock {
  sweep(folder);
  return {
    folder,
    release: () => {
      if (readLockFile(path)?.nonce === own.nonce) guarded('cannot release', path, () => rmSync(path));
    },
  };
}

/** Claims on locks that are gone give no right to anything any more. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.startsWith(takeoverName) && !name.endsWith('.draft'))
      rmSync(join(folder, name), { force: true });
}

function locked(path: string, { pid, host, info }: LockContent): LogError {
  const details = Object.entries(info).map(([name, value]) => ` (${name}: ${value})`);
  return new LogError(
    'locked',
    path,
    `process ${pid} on ${host}${details.join('')} owns the folder`,
    pid === process.pid
      ? 'It is open in this process already: close that first.'
      : `Stop process ${pid} first, or use another folder; if its host is gone for good, delete the file.`,
  );
}
