import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSupervisor } from '../../supervisor/run-supervisor.ts';
import type { Supervisor } from '../../supervisor/supervisor.ts';
import { forkWorker } from '../../supervisor/worker-process.ts';
import { ListenError } from '../../worker/listen-error.ts';
import { listenForShutdown } from '../../worker/shutdown.ts';
import { busOf } from '../backend-bus.ts';
import { loadBundleWith } from '../bundle-file.ts';
import { CliError } from '../cli-error.ts';
import { type Command, type CommandInput, numberOption, textOption } from '../command.ts';
import { releaseMs } from '../release-time.ts';
import { defaultConfigDir } from '../settings.ts';
import { displayOf } from '../live/fleet-display.ts';

/** How much later than a worker ends itself it is killed, ms. */
const graceMs = 2_000;

export const superviseCommand: Command = {
  name: 'supervise',
  summary: 'Keeps several workers of a bundle alive, each a process, with one address for all',
  options: {
    bundle: { type: 'string', value: 'FILE', help: 'the bundle, as configs/bundles/main.yaml' },
    workers: {
      type: 'string',
      value: 'N',
      help: 'how many (default 2); more than one need a backend as kafka',
    },
    config: { type: 'string', value: 'DIR', help: 'configuration folder (default: the one of the package)' },
    log: {
      type: 'string',
      value: 'FILE',
      help: "where a redrawn screen sends what workers write (default: the bundle's name with .log)",
    },
    plain: {
      type: 'boolean',
      help: 'a line per pipeline every few seconds instead of a redrawn screen (default without a terminal)',
    },
    json: { type: 'boolean', help: 'one JSON object a line; what workers write goes to standard error' },
  },
  run: supervise,
};

async function supervise(input: CommandInput): Promise<number> {
  const { options } = input;
  const file = textOption(options, 'bundle');
  if (file === undefined)
    throw new CliError(
      2,
      'Name a bundle: cryptorun supervise --bundle configs/bundles/main.yaml --workers 2',
    );
  const workers = numberOption(options, 'workers', 1, 256) ?? 2;
  if (!Number.isInteger(workers)) throw new CliError(2, `--workers is ${workers}, must be a whole number`);
  const configDir = textOption(options, 'config') ?? defaultConfigDir();
  const { bundle, backend } = loadBundleWith(file, configDir);
  if (workers > 1 && !busOf(backend).capabilities.multiProcess) {
    throw new CliError(
      2,
      `${file}: a backend of kind ${backend.kind} has one process at a time, so it cannot have ${workers} workers: take --workers 1, or a backend of kind kafka`,
    );
  }
  const stopDeadlineMs = bundle.drainDeadline + releaseMs + graceMs;
  let supervisor: Supervisor | undefined;
  const shutdown = listenForShutdown(process, { atOnce: () => supervisor?.kill() });
  const restart = (): void => void supervisor?.restartAll();
  process.on('SIGHUP', restart);
  const display = displayOf(input, bundle.name, bundle.logLevel, backend);
  shutdown.signal.addEventListener('abort', () => display.draining(), { once: true });
  let code: number | undefined;
  try {
    code = await runSupervisor({
      name: bundle.name,
      workers,
      http: bundle.http,
      stopDeadlineMs,
      signal: shutdown.signal,
      logger: display.logger,
      launch: name =>
        forkWorker({
          script: fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url)),
          args: ['worker', '--bundle', file, '--config', configDir, '--name', name, '--http', '127.0.0.1:0'],
          execArgv: ['--max-semi-space-size=16'],
          output: display.output,
        }),
      started: (running, url) => {
        supervisor = running;
        display.started(url);
      },
      showIntervalMs: display.everyMs,
      show: display.show,
    });
    return code;
  } catch (error) {
    if (error instanceof ListenError) throw new CliError(2, error.message, { cause: error });
    throw error;
  } finally {
    process.off('SIGHUP', restart);
    shutdown.remove();
    await display.close(code);
  }
}
