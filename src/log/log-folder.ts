import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { guarded, systemCode } from './log-error.ts';
import { segmentBase } from './segment.ts';

/** What a file of a log is called until it is whole. */
export const temporaryEnding = '.rewrite';

/**
 * The bases of all segments in the folder, ascending.
 *
 * @param create makes the folder where it is absent, and removes what a rewrite left unfinished
 */
export function listSegments(folder: string, create: boolean): number[] {
  return guarded('cannot open the log', folder, () => {
    if (create) makeFolder(folder);
    const names = readdirSync(folder);
    if (create) removeUnfinished(folder, names);
    return names
      .map(segmentBase)
      .filter(base => base !== undefined)
      .sort((a, b) => a - b);
  });
}

/** Forces the names in a folder to the disk, where the system can do that. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  guarded('cannot force the folder to the disk', folder, () => {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Makes a folder and those above it. Only the plain call tells why it failed: the recursive one says ENOENT. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(folder);
  }
}

function removeUnfinished(folder: string, names: readonly string[]): void {
  for (const name of names)
    if (name.endsWith(temporaryEnding) && segmentBase(name.slice(0, -temporaryEnding.length)) !== undefined)
      rmSync(join(folder, name), { force: true });
}
