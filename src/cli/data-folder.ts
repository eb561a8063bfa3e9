import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from './cli-error.ts';
import { readLock } from '../log/folder-lock.ts';

/** Where `start` keeps its data when it is told nothing. */
export const defaultFolder = '.cryptorun';

/** What a folder of ours holds; another folder is never emptied. */
const ours = /^(topics|ledger|lock|control\.json|owner\.lock|.*\.lock.*)$/;

/** The folder of a run: the one that was named as it is, else `.cryptorun`, made afresh. */
export function dataFolder(named: string | undefined): string {
  if (named !== undefined) return named;
  if (!existsSync(defaultFolder)) return defaultFolder;
  const owner = readLock(defaultFolder);
  if (owner) {
    throw new CliError(
      2,
      `${defaultFolder} is in use by process ${owner.pid}: end that one, or run this one with --dir PATH or --memory`,
    );
  }
  const strangers = readdirSync(defaultFolder).filter(name => !ours.test(name));
  if (strangers.length > 0) {
    throw new CliError(
      2,
      `${defaultFolder} holds ${strangers.slice(0, 3).join(', ')}, which is not of this program: move it away, or use --dir PATH`,
    );
  }
  rmSync(join(defaultFolder), { recursive: true });
  return defaultFolder;
}
