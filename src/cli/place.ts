import { existsSync } from 'node:fs';
import type { KafkaBackendSettings } from '../config/kafka-backend.ts';
import { backendNamed } from './backend-bus.ts';
import { CliError } from './cli-error.ts';
import { type OptionSpec, type Options, textOption } from './command.ts';
import { defaultFolder } from './data-folder.ts';
import { defaultConfigDir } from './settings.ts';

/** The data that a command is about. */
export type Place =
  | { readonly kind: 'folder'; readonly dir: string }
  | { readonly kind: 'cluster'; readonly settings: { readonly kind: 'kafka' } & KafkaBackendSettings };

/** How a place is named on the command line. */
export const placeOptions: Readonly<Record<'dir' | 'backend' | 'config', OptionSpec>> = {
  dir: { type: 'string', value: 'PATH', help: 'data folder (default .cryptorun)' },
  backend: {
    type: 'string',
    value: 'NAME',
    help: 'instead of a folder a backend of stream/backends.yaml, as kafka',
  },
  config: { type: 'string', value: 'DIR', help: 'configuration folder (default: the one of the package)' },
};

/** @throws CliError where there is no such place, or nothing in it that another process could see */
export function placeOf(options: Options): Place {
  const [dir, name] = [textOption(options, 'dir'), textOption(options, 'backend')];
  if (dir !== undefined && name !== undefined)
    throw new CliError(2, '--dir and --backend exclude each other: the data is in one place');
  if (name === undefined) return folder(dir ?? defaultFolder);
  const backend = backendNamed(name, textOption(options, 'config') ?? defaultConfigDir());
  switch (backend.kind) {
    case 'kafka':
      return { kind: 'cluster', settings: backend };
    case 'embedded':
      return folder(backend.dir);
    case 'stub':
      throw new CliError(
        2,
        `the backend ${name} is the memory of the process that runs on it: nobody else sees it`,
      );
  }
}

function folder(dir: string): Place {
  if (existsSync(dir)) return { kind: 'folder', dir };
  throw new CliError(
    2,
    `There is no data in ${dir}: run "npm start" first, or name a folder with --dir PATH or a backend with --backend NAME`,
  );
}
