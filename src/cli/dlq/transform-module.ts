import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '../../core/failure.ts';
import { CliError } from '../cli-error.ts';
import type { EditModule } from './edit-answers.ts';

const example = 'export default letter => Buffer.from(letter.payload)';

/**
 * The transform of a module, JavaScript or TypeScript: its default export. The module's text goes into the name of
 * the job, so that an edited module begins anew.
 *
 * @throws CliError where it cannot be loaded or exports no function
 */
export async function transformModule(path: string): Promise<EditModule> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CliError(2, `--transform: there is no file ${file}`);
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new CliError(2, `--transform: ${path} cannot be loaded: ${reasonOf(cause)}`, { cause });
  }
  const transform = defaultOf(exported);
  if (!isFunction(transform)) {
    throw new CliError(2, `--transform: ${path} has no default export that is a function, as "${example}"`);
  }
  return {
    // What it returns is checked where it is used.
    transform: letter => transform(letter),
    transformId: hash('sha256', readFileSync(file), 'hex'),
  };
}

/** A module's namespace is an object without a prototype. */
function defaultOf(exported: unknown): unknown {
  if (typeof exported !== 'object' || exported === null || !('default' in exported)) return undefined;
  return exported.default;
}

function isFunction(value: unknown): value is EditModule['transform'] {
  return typeof value === 'function';
}
