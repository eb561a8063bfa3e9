import { existsSync } from 'node:fs';
import { createEventBus } from '../backends.ts';
import { CliError } from './cli-error.ts';
import { readControlFile } from './control-file.ts';
import { defaultFolder } from './data-folder.ts';
import { queries } from './queries.ts';

const timeoutMs = 10_000;

/** Puts a question to the process that runs on the folder, else to the folder itself. */
export async function ask(
  folder: string | undefined,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  const dir = folder ?? defaultFolder;
  if (!existsSync(dir)) {
    throw new CliError(
      2,
      `There is no data in ${dir}: run "npm start" first, or name a folder with --dir PATH`,
    );
  }
  const running = readControlFile(dir);
  return running ? askProcess(running.url, running.token, name, args) : askFolder(dir, name, args);
}

async function askProcess(
  url: string,
  token: string,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  const response = await fetch(`${url}/control/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ args }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok)
    throw new CliError(1, `the running process answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function askFolder(dir: string, name: string, args: readonly string[]): Promise<unknown> {
  const query = queries[name];
  if (query === undefined) throw new CliError(2, `there is no query "${name}"`);
  const bus = createEventBus({ kind: 'embedded', dir, readOnly: true });
  await bus.start();
  try {
    return await query(bus, args, undefined);
  } finally {
    await bus.stop();
  }
}
