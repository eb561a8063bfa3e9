import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { guarded, LogError } from './log-error.ts';
import type { Damage } from './segment.ts';

/** A stretch of a segment that holds no readable record, and was passed over. */
export interface Corruption extends Damage {
  /** The segment file. */
  readonly path: string;
}

/**
 * Copies the bytes that could not be read to `<segment>.corrupt-<position>`, for whoever wants to look into them.
 *
 * @throws LogError where the copy cannot be written
 */
export function setAside({ path, position, bytes }: Corruption): void {
  guarded('cannot set damaged bytes aside', path, () => {
    const content = readStretch(path, position, bytes);
    const target = freeName(`${path}.corrupt-${position}`, content);
    if (target !== undefined) writeWhole(target, content);
  });
}

/** The same where the disk has room for it; the damaged bytes stay in their segment anyway. */
export function setAsideIfPossible(corruption: Corruption): void {
  try {
    setAside(corruption);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
  }
}

function readStretch(path: string, position: number, bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  const fd = openSync(path, 'r');
  try {
    return content.subarray(0, readSync(fd, content, 0, bytes, position));
  } finally {
    closeSync(fd);
  }
}

/** A name that nothing has yet; undefined where the same bytes are set aside already. */
function freeName(name: string, content: Buffer): string | undefined {
  for (let copy = 0; ; copy += 1) {
    const path = copy === 0 ? name : `${name}-${copy}`;
    if (!existsSync(path)) return path;
    if (readFileSync(path).equals(content)) return undefined;
  }
}

function writeWhole(path: string, content: Buffer): void {
  try {
    writeFileSync(path, content, { flag: 'wx' });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}
