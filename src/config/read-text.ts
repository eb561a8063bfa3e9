import { readFileSync, statSync } from 'node:fs';
import { left, right, type Either } from 'fp-ts/lib/Either.js';
import { formatSize } from '../core/durations.ts';

/** The largest configuration file that is read, in bytes. */
export const maxFileSize: number = 1024 ** 2;

/** The text of a file, or what keeps it from being read. */
export function readText(file: string): Either<string, string> {
  try {
    // A pipe or device would block or never end.
    const found = statSync(file);
    if (found.isDirectory()) return left('is a folder, name a file in it');
    if (!found.isFile()) return left('is no regular file, name a YAML file');
    if (found.size > maxFileSize) return left(tooLarge(found.size));
    return right(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)));
  } catch (error) {
    return left(reason(error));
  }
}

/** What to say of a file or text past {@link maxFileSize}. */
export function tooLarge(size: number): string {
  return `holds ${size} bytes, more than ${formatSize(maxFileSize)}, split it or check that it is the right file`;
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file, write it or correct its name';
  if (code === 'EACCES') return 'may not be read, allow it to the user that runs this';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is no UTF-8 text, save it as UTF-8';
  return `cannot be read (${typeof code === 'string' ? code : String(error)}), check the file and its folder`;
}
