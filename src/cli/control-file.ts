import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

/** How a command reaches the process that runs on a data folder. */
export interface ControlAddress {
  readonly pid: number;
  /** On loopback. */
  readonly url: string;
  /** Known only to who may read the folder. */
  readonly token: string;
}

const ControlAddress: t.Type<ControlAddress> = t.type({ pid: t.number, url: t.string, token: t.string });
const fileName = 'control.json';

export function writeControlFile(folder: string, address: ControlAddress): void {
  writeFileSync(join(folder, fileName), JSON.stringify(address), { mode: 0o600 });
}

export function removeControlFile(folder: string): void {
  rmSync(join(folder, fileName), { force: true });
}

/** Who runs on the folder, or undefined where nobody does. */
export function readControlFile(folder: string): ControlAddress | undefined {
  try {
    const decoded = ControlAddress.decode(JSON.parse(readFileSync(join(folder, fileName), 'utf8')));
    if (isLeft(decoded)) return undefined;
    process.kill(decoded.right.pid, 0);
    return decoded.right;
  } catch {
    return undefined; // No file, half a file, or a process that is gone: nobody answers.
  }
}
