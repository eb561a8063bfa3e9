import { closeSync, openSync } from 'node:fs';
import { pino } from 'pino';
import type { BackendConfig } from '../../config/backends.ts';
import type { SupervisorRun } from '../../supervisor/run-supervisor.ts';
import type { WorkerProgram } from '../../supervisor/worker-process.ts';
import { exitCodes } from '../../worker/exit-codes.ts';
import type { Logger } from '../../worker/logger.ts';
import { busOf } from '../backend-bus.ts';
import { CliError } from '../cli-error.ts';
import { type CommandInput, textOption } from '../command.ts';
import { invocationOf } from '../invocation.ts';
import { jsonTotals, plainTotals } from '../view/worker-totals.ts';
import { FleetView } from './fleet-view.ts';
import { problemsLogger } from './problems-logger.ts';

/** How several workers are shown, and where they and their supervisor write. */
export interface FleetDisplay extends Pick<SupervisorRun, 'show' | 'logger'>, Pick<WorkerProgram, 'output'> {
  readonly everyMs: number;
  started(url: string): void;
  draining(): void;
  /** @param code with which the supervisor ended; undefined where it did not come to run */
  close(code: number | undefined): Promise<void>;
}

/**
 * A screen that is redrawn in place; lines where there is no terminal or `--plain` asks for them; with `--json` an
 * object a line.
 *
 * @throws CliError where the file for the log cannot be written
 */
export function displayOf(
  { options, terminal }: CommandInput,
  name: string,
  level: string,
  backend: BackendConfig,
): FleetDisplay {
  const json = options['json'] === true;
  if (json || options['plain'] === true || !terminal.isInteractive) {
    const totals = json ? jsonTotals : plainTotals;
    return {
      everyMs: 5_000,
      output: [json ? 2 : 1, 2],
      logger: pino({ level }, pino.destination({ dest: 2, sync: true })),
      show: (workers, pipelines) => totals(workers, pipelines).forEach(line => terminal.out(line)),
      started: () => undefined,
      draining: () => undefined,
      close: () => Promise.resolve(),
    };
  }
  const log = textOption(options, 'log') ?? `${name}.log`;
  const file = opened(log);
  const problems = problemsLogger();
  const market = busOf(backend);
  const facts = {
    title: `${name} on ${backend.kind}`,
    explainCommand: invocationOf(`explain --backend ${backend.kind}`),
    log,
  };
  const view = new FleetView(
    facts,
    terminal,
    problems,
    market.capabilities.multiProcess ? market : undefined,
  );
  return {
    everyMs: 1_000,
    output: [file, file],
    logger: both(pino({ level }, pino.destination({ dest: file, sync: true })), problems),
    show: (workers, pipelines) => view.show(workers, pipelines),
    started: url => (view.url = url),
    draining: () => view.draining(),
    close: async code => {
      await view.close(code === exitCodes.ok ? 'done' : 'failed');
      closeSync(file);
      if (code !== undefined && code !== exitCodes.ok)
        terminal.err(`ended with code ${code}: ${log} says why`);
    },
  };
}

function opened(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new CliError(2, `${path} cannot be written (${code}): name another file with --log`, { cause });
  }
}

function both(first: Logger, second: Logger): Logger {
  const to = (level: keyof Logger) => (fields: object, message: string) => {
    first[level](fields, message);
    second[level](fields, message);
  };
  return { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
}
